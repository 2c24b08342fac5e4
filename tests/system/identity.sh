#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same input gives the same findings, byte for byte: judged twice, judged
# over snapshots, and judged again from the archive of a live run.
. "$(dirname "$0")/../support/lib.sh"

t="$bin/tollwatch"
timeout 60 "$t" night --out "$dir/night" >/dev/null
wire="$dir/wire"
timeout 120 "$bin/tollwatch-collector" decode --config config --live --wire \
	"pbx-history=$dir/night/history.csv" "sbc-1=$dir/night/night.pcap" \
	>"$wire"
judge() { # OUT OPTION...
	local out=$1
	shift
	timeout 120 "$bin/tollwatch-analyzer" backtest --config config --json \
		"$@" - <"$wire" >"$out"
}
check "(a) judged once" judge "$dir/a1"
check "(a) something is found" [ -s "$dir/a1" ]
check "(a) judged again" judge "$dir/a2"
check "(a) the same bytes" cmp "$dir/a1" "$dir/a2"
for n in 997 5003 20011; do
	check "(b) over a snapshot every $n events" judge "$dir/b" --split $n
	check "(b) the same bytes" cmp "$dir/a1" "$dir/b"
done

timeout 250 "$t" run --until-end --config config --state "$dir/state" --json \
	>"$dir/live" 2>"$dir/log"
same "(c) the live run ends well" 0 $?
timeout 120 "$t" backtest --config config --json "$dir/state/analyzer/archive" \
	>"$dir/replay"
grep '"rule"' "$dir/live" >"$dir/live.findings"
check "(c) something is found live" [ -s "$dir/live.findings" ]
check "(c) the archive gives the findings sent live" \
	cmp "$dir/live.findings" "$dir/replay"

# A finding can be recounted from the archive, call by call, with its id alone
# where the site ran; a COMBI by the two warnings that made it.
export TOLLWATCH_STATE="$dir/state"
agree=0 all=0
for id in $(jq -r 'select(.rule != "COMBI") | .id' "$dir/replay" | head -20); do
	all=$((all + 1))
	timeout 60 "$t" why "$id" >"$dir/why" &&
		agree=$((agree + 1)) || cat "$dir/why"
done
same "why recounts every finding" $all $agree
combi=$(jq -r 'select(.rule == "COMBI") | .id' "$dir/replay" | head -1)
check "the night has a COMBI" [ -n "$combi" ]
timeout 60 "$t" why --json "$combi" >"$dir/why"
same "why recounts a COMBI" 0 $?
same "as itself, then two warnings of two rules of its account" \
	"$combi critical, warning, warning, 2 rules, 1 account" \
	"$(jq -rs '[.[] | select(.id)] | .[0].id + " " +
		(map(.severity) | join(", ")) + ", " +
		"\(.[1:] | map(.rule) | unique | length) rules, " +
		"\(map(.account) | unique | length) account"' "$dir/why")"
same "each with its sum" "2 true" "$(jq -rs '[.[] | select(.recounted)] |
	"\(length) \(all(.agrees))"' "$dir/why")"
timeout 60 "$t" why --state "$dir/state/analyzer" --config config "$combi" \
	>"$dir/why"
same "the analyzer's own folder will do" 0 $?
same "two recounts in the text" 2 "$(grep -c 'they agree$' "$dir/why")"
timeout 60 "$t" why --state "$dir/none" "$combi" 2>"$dir/err"
same "a folder where nothing ran is said" 1 $?
check "with what to do" said 'name the folder with --state' "$dir/err"
finish
