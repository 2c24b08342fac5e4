#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sample night: the same bytes each time, the same calls in both files.
. "$(dirname "$0")/../support/lib.sh"
need jq

t="$bin/tollwatch"
check "night writes its files" timeout 60 "$t" night --out "$dir/a" >/dev/null
timeout 60 "$t" night --out "$dir/b" >/dev/null
timeout 60 "$t" night --out "$dir/c" --seed 7 >/dev/null
for f in history.csv night.csv night.pcap; do
	check "same seed, same $f" cmp -s "$dir/a/$f" "$dir/b/$f"
	if cmp -s "$dir/a/$f" "$dir/c/$f"; then
		not_ok "another seed, another $f"
	else
		ok "another seed, another $f"
	fi
done
check "history is at most 40,000 rows" \
	[ "$(wc -l <"$dir/a/history.csv")" -le 40000 ]

# decode FILE...: one line a call.  Times go down to whole seconds, as CDRs
# have them, so that both files sort alike even where calls are identical.
decode() {
	timeout 120 "$t" decode --config config --calls --json "$@" >"$dir/json" &&
		jq -r '[.caller, .callee, (.setup // "-")[:19],
			(.answer // "-")[:19], (.talk_s // 0), .call_key, (.account // "-"),
			(.direction // "-")] | @tsv' "$dir/json"
}
decode --as asterisk "$dir/a/night.csv" | sort >"$dir/cdr"
decode "$dir/a/night.pcap" | sort >"$dir/sip"
rows=$(wc -l <"$dir/a/night.csv")
same "each row is a call" "$rows" "$(wc -l <"$dir/cdr")"
same "as many calls in the capture" "$rows" "$(wc -l <"$dir/sip")"
# Line by line they are the same calls.
paste "$dir/cdr" "$dir/sip" | awk -F'\t' '
	$1 != $9 || $2 != $10 || $7 != $15 || $8 != $16 || $3 != $11 ||
	$4 != $12 || $5 - $13 > 1 || $13 - $5 > 1 { bad++; print }
	END { exit bad > 0 }' >"$dir/differ"
rc=$?
head -5 "$dir/differ"
same "calls agree in parties, account, times and talk" 0 $rc
same "no identity in common" 0 "$(cut -f6 "$dir/cdr" "$dir/sip" |
	sort | uniq -d | wc -l)"
finish
