#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sample night through the real programs: what is found, what is not, and
# that a kill -9 of either program changes neither.
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"

# play NAME: a whole night in its own state folder, in the background.
play() {
	"$t" run --until-end --config config --state "$dir/$1" >"$dir/$1.out" \
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

play calm
await 240
same "the night ends by itself" 0 $?
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
check "no event was lost" said ', 0 lost;' "$calm"
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

# Kills at random moments of the play, which begins with the collector; the
# seed is printed for a repeat.
seed=${SEED:-$RANDOM}
RANDOM=$seed
pid_of() { # PROGRAM FILE: the newest
	grep -o "$1: pid [0-9]*" "$2" | tail -1 | grep -o '[0-9]*$'
}
strike() { # PROGRAM FILE MS: kill -9 within MS
	local ms=$((RANDOM % $3)) p
	sleep "0.$(printf %03d $ms)"
	p=$(pid_of "$1" "$2")
	kill -9 "$p" 2>/dev/null && echo "$1" >>"$dir/killed"
}
: >"$dir/killed"
for i in 1 2 3 4 5; do
	play "kill$i"
	wait_for 60 said 'collector: pid' "$dir/kill$i.err"
	before=$(wc -l <"$dir/killed")
	strike collector "$dir/kill$i.err" 400
	strike analyzer "$dir/kill$i.err" 300
	await 240
	same "killed run $i ends by itself (seed $seed)" 0 $?
	ids "$dir/kill$i.out" | sort >"$dir/got"
	check "the same findings after $(tail -n "+$((before + 1))" \
		"$dir/killed" | paste -sd+) was killed" \
		cmp -s "$dir/want" "$dir/got"
	same "none twice" 0 "$(uniq -d "$dir/got" | wc -l)"
	check "none lost" said ', 0 lost;' "$dir/kill$i.out"
	rm -rf "${dir:?}/kill$i"
done
killed=$(wc -l <"$dir/killed")
check "most kills hit a running program ($killed of 10)" [ "$killed" -ge 5 ]

# An end by the clock.
TOLLWATCH_RUN_FOR=1s "$t" run --config config --state "$dir/short" \
	>"$dir/short.out" 2>"$dir/short.err" &
runner=$!
pids="$pids $runner"
await 60
same "TOLLWATCH_RUN_FOR ends it with 0" 0 $?

# Asked to stop while PostgreSQL is between fork and exec.
for i in 1 2 3; do
	"$t" run --config config --state "$dir/quick" >"$dir/quick$i" 2>&1 &
	runner=$!
	pids="$pids $runner"
	wait_for 60 said 'postgresql: pid' "$dir/quick$i"
	kill -TERM "$runner"
	wait "$runner"
	same "stopped at once: exit 0" 0 $?
	same "and PostgreSQL without hurry" 0 "$(grep -c 'does not stop' "$dir/quick$i")"
done
finish
