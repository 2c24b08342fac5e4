#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sample night through the real programs: what is found, what is not, and
# that a kill -9 of either program changes neither.
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"

# play NAME: a whole night in its own state folder, in the background.
play() {
	"$t" run --config config --state "$dir/$1" >"$dir/$1.out" \
		2>"$dir/$1.err" &
	runner=$!
	pids="$pids $runner"
}
ended() { ! kill -0 "$runner" 2>/dev/null; }
await() { # SECONDS
	wait_for "$1" ended || kill "$runner"
	wait "$runner"
}
ids() { grep -o '^finding .*, id [0-9a-f]*$' "$1" | grep -o '[0-9a-f]*$'; }

start=$(date +%s%N)
play calm
await 240
same "the night ends by itself" 0 $?
took_ms=$((($(date +%s%N) - start) / 1000000))
calm="$dir/calm.out"
check "site up is said" said '^site up$' "$calm"
check "the burst is critical" said '^finding critical .* oakfield-dental: ' \
	"$calm"
check "the drip is critical" said '^finding critical .* harbour-garage: ' \
	"$calm"
grep '^finding critical' "$calm" |
	grep -v ' oakfield-dental: \| harbour-garage: ' >"$dir/honest"
head -5 "$dir/honest"
same "nothing critical for the honest" 0 "$(wc -l <"$dir/honest")"
spent=$(grep -m1 '^finding critical .* oakfield-dental: ' "$calm" |
	sed 's/.*: £\([0-9]*\)\..*so far.*/\1/')
check "the burst is found before £30 ($spent)" [ "${spent:-99}" -lt 30 ]
check "no event was lost" said ', 0 lost$' "$calm"
same "no finding twice" 0 "$(ids "$calm" | sort | uniq -d | wc -l)"
same "nothing is left running" "" \
	"$(grep -o 'pid [0-9]*' "$dir/calm.err" | while read -r _ p; do
		kill -0 "$p" 2>/dev/null && echo "$p"
	done)"
ids "$calm" | sort >"$dir/want"

# The archive, played again, gives what was sent live.
timeout 120 "$t" backtest --config config --json \
	"$dir/calm/analyzer/archive" >"$dir/again" 2>/dev/null
jq -r .id "$dir/again" | sort >"$dir/got"
check "replay of the archive: the same findings" cmp -s "$dir/want" "$dir/got"

# Kills at random moments: a fresh seed each time, printed for a repeat.
seed=${SEED:-$RANDOM}
RANDOM=$seed
span=$((took_ms > 500 ? took_ms : 500))
for i in 1 2 3 4 5; do
	play "kill$i"
	wait_for 60 grep -q '^site up$' "$dir/kill$i.out"
	for victim in collector analyzer; do
		ms=$((RANDOM % span))
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		p=$(grep -o "$victim: pid [0-9]*" "$dir/kill$i.err" |
			tail -1 | grep -o '[0-9]*$')
		kill -9 "$p" 2>/dev/null && echo "killed $victim" \
			>>"$dir/kill$i.killed"
	done
	await 240
	same "killed run $i ends by itself (seed $seed)" 0 $?
	ids "$dir/kill$i.out" | sort >"$dir/got"
	check "the same findings after $(tr '\n' ' ' 2>/dev/null \
		<"$dir/kill$i.killed")" cmp -s "$dir/want" "$dir/got"
	same "none twice" 0 "$(uniq -d "$dir/got" | wc -l)"
	rm -rf "${dir:?}/kill$i"
done
killed=$(cat "$dir"/kill*.killed 2>/dev/null | wc -l)
check "most kills hit a running program ($killed of 10)" [ "$killed" -ge 5 ]

# An end by the clock.
TOLLWATCH_RUN_FOR=1s "$t" run --config config --state "$dir/short" \
	>"$dir/short.out" 2>"$dir/short.err" &
runner=$!
pids="$pids $runner"
await 60
same "TOLLWATCH_RUN_FOR ends it with 0" 0 $?
finish
