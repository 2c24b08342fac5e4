#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sample night offline: backtest is collector and analyzer in a pipe.
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"

replay() { # NIGHT OPTION...: findings of the history and a file of the night
	local file=$1
	shift
	timeout 120 "$t" backtest --config config --json "$@" \
		"$dir/history.csv" "$dir/$file" 2>>"$dir/err"
}
who() { jq -r 'select(.severity == "critical") | .account' "$1" | sort -u; }
robbed=$(printf 'harbour-garage\noakfield-dental')

for seed in 20260117 1 2; do
	timeout 60 "$t" night --out "$dir" --seed $seed >/dev/null
	replay night.pcap >"$dir/sip"
	same "seed $seed, capture: both thefts, nobody else" "$robbed" \
		"$(who "$dir/sip")"
	replay night.csv >"$dir/cdr"
	same "seed $seed, call records: both thefts, nobody else" "$robbed" \
		"$(who "$dir/cdr")"
done
timeout 60 "$t" night --out "$dir" >/dev/null
replay night.pcap --summary "$dir/summary" >"$dir/one"
replay night.pcap >"$dir/two"
check "the same again, byte by byte" cmp -s "$dir/one" "$dir/two"
check "a summary is written" test -s "$dir/summary"
same "the burst is critical before £30" true "$(jq -s '[.[] | select(
	.severity == "critical" and .account == "oakfield-dental")][0] |
	(.exposure_gbp | tonumber) < 30' "$dir/one")"

# A call record comes when the call is over: seen live it is found earlier.
first() { jq -rs '[.[] | select(.account == "harbour-garage")][0].time' "$1"; }
replay night.csv >"$dir/late"
replay night.csv --live >"$dir/live"
check "--live: not later than at the call's end" \
	[ ! "$(first "$dir/live")" \> "$(first "$dir/late")" ]

# A limit that is changed shows, and only that.
cp -r config "$dir/c"
sed -i '/id: R01/,/usual/ s/critical: {spend: £25}/critical: {spend: £5000}/' \
	"$dir/c/rules.yaml"
timeout 240 "$t" backtest --config config --against "$dir/c" \
	"$dir/history.csv" "$dir/night.pcap" >"$dir/diff" 2>>"$dir/err"
same "--against ends well" 0 $?
check "what would be gone is said" grep -q '^- .* critical R01 ' "$dir/diff"
same "and nothing of another rule" 0 "$(grep -vc ' R01 ' "$dir/diff")"

# Records that claim to have begun in 1990 cost no 36 years of opening hours.
jq -nc 'range(2000) | {kind: "call", phase: "end", source: "sbc-1",
	call_key: ("0000" + tostring | .[-4:] | . * 8),
	account: "fenwick-solicitors", callee: "+2382211230",
	direction: "outbound", setup: "1990-01-01T00:00:00Z",
	answer: "1990-01-01T00:00:01Z", end: "2026-01-15T12:00:00Z",
	observed: "2026-01-15T12:00:00Z"}' >"$dir/long.jsonl"
timeout 10 "$t" backtest --config config --as jsonl --summary "$dir/sum" \
	"$dir/long.jsonl" >"$dir/long"
same "calls of 36 years hold nothing up" 0 $?
same "and are all counted" 2000 "$(jq .calls "$dir/sum")"

"$t" backtest --config "$dir/none" "$dir/night.csv" >/dev/null 2>&1
check "no config: not 0" [ $? -ne 0 ]
finish
