#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Seen by SIP and by CDR, a call counts once: whichever comes first, two hours
# late, with one in a hundred missing on either side.
. "$(dirname "$0")/../support/lib.sh"
need jq

t="$bin/tollwatch"
timeout 60 "$t" night --out "$dir" >/dev/null
calls=$(wc -l <"$dir/night.csv")
events() { # SOURCE FILE: events as JSON Lines
	timeout 120 "$t" decode --config config --json "$1=$2"
}
events pbx-cdr "$dir/night.csv" >"$dir/cdr"
events sbc-1 "$dir/night.pcap" >"$dir/sip"

# In the order in which the collector saw them, the CDR some hours later.
woven() { # HOURS CDR SIP
	jq -c --argjson h "$1" 'def us: (.[0:19] + "Z" | fromdate) * 1000000 +
			(.[20:26] | tonumber);
		(.observed // .end // .answer // .setup) as $t |
		[($t | us) + (if .source == "pbx-cdr" then $h * 3.6e9
			else 0 end), .]' "$2" "$3" |
		sort -t, -k1.2,1n -s | jq -c '.[1]'
}
counted() { # FILE...: calls counted, paired, alone
	timeout 120 "$t" backtest --config "$site" --summary "$dir/sum" \
		--json "$@" >"$dir/findings" || return 1
	jq -r '[.calls, .paired, .unpaired] | @tsv' "$dir/sum" | tr '\t' ' '
}

# A whole night of one side before the other: the records are that late.
cp -r config "$dir/patient"
sed -i 's/    within: 5s/    within: 5s\n    lateness: 48h/' \
	"$dir/patient/tollwatch.yaml"
site=config
same "SIP alone" "$calls 0 0" "$(counted "$dir/sip")"
cp "$dir/findings" "$dir/alone"
site=$dir/patient
same "SIP first" "$calls $calls 0" "$(counted "$dir/sip" "$dir/cdr")"
same "CDR first" "$calls $calls 0" "$(counted "$dir/cdr" "$dir/sip")"
site=config
woven 0 "$dir/cdr" "$dir/sip" >"$dir/both"
same "as it was lived" "$calls $calls 0" "$(counted "$dir/both")"
woven 2 "$dir/cdr" "$dir/sip" >"$dir/both"
same "CDR two hours late" "$calls $calls 0" "$(counted "$dir/both")"

# Without every hundredth call, on one side and then on the other.
thin() { # FILE: by a digit pair of the key, so that whole calls are missing
	jq -c 'select(.call_key[0:2] != "00" and .call_key[0:2] != "01" and
		.call_key[0:2] != "02")' "$1"
}
thin "$dir/cdr" >"$dir/cdr.thin"
thin "$dir/sip" >"$dir/sip.thin"
n_cdr=$(jq -r .call_key "$dir/cdr.thin" | sort -u | wc -l)
n_sip=$(jq -r .call_key "$dir/sip.thin" | sort -u | wc -l)
check "some are missing" [ "$n_cdr" -lt "$calls" ] && [ "$n_sip" -lt "$calls" ]
woven 0 "$dir/cdr.thin" "$dir/sip" >"$dir/both"
same "some missing in the CDR" "$calls $n_cdr 0" "$(counted "$dir/both")"
woven 0 "$dir/cdr" "$dir/sip.thin" >"$dir/both"
same "some missing in SIP" "$calls $n_sip $((calls - n_sip))" \
	"$(counted "$dir/both")"
finish
