#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Closing time.  A busy, honest afternoon of an account that closes at 18:00
# in London spends more than the night allows, and its calls are up across
# closing: nothing fires at 18:00:00 or after it.  The same calls an hour
# later do.  In winter and in summer time, through the real programs.
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"
account=fenwick-solicitors

# events DAY ZONE SHIFT: lines "SETUP ANSWER END CALLEE" (local times, - = it
# did not happen) as set-up, answer and end in the order of time, SHIFT seconds
# later.
events() {
	jq -Rnc --arg day "$1" --argjson zone "$2" --argjson shift "$3" \
		--arg account "$account" '
	def at: if . == "-" then null else
		($day + "T" + . + "Z" | fromdate) - $zone + $shift end;
	def utc: if . == null then null else todate end;
	[inputs | select(length > 0) | [splits("[ \t]+")] |
	 {s: (.[0] | at), a: (.[1] | at), e: (.[2] | at), to: .[3],
	  key: ("000000000000000" + (input_line_number | tostring) |
		.[-16:] | . + .)}] |
	[.[] | . as $c |
	 {t: $c.s, phase: "setup", setup: $c.s},
	 (select($c.a) | {t: $c.a, phase: "answer", answer: $c.a}),
	 (select($c.e) | {t: $c.e, phase: "end", end: $c.e}) |
	 . + {to: $c.to, key: $c.key}] | sort_by(.t)[] |
	{kind: "call", phase, source: "sbc-1", call_key: .key,
	 account: $account, callee: .to, direction: "outbound",
	 setup: (.setup | utc), answer: (.answer | utc), end: (.end | utc),
	 observed: (.t | utc)}'
}
# backtest NAME: findings of $dir/NAME.jsonl.
backtest() {
	timeout 60 "$t" backtest --config config --json --as jsonl \
		--summary "$dir/$1.sum" "$dir/$1.jsonl" >"$dir/$1.out" \
		2>"$dir/$1.err"
	same "$1: backtest ends well" 0 $?
	same "$1: every call was counted" "$(grep -c '"setup","source' \
		"$dir/$1.jsonl")" "$(jq .calls "$dir/$1.sum")"
}
fired() { # NAME: rule and severity, each once
	jq -r '[.rule, .severity] | join(" ")' "$dir/$1.out" | sort -u |
		paste -sd, -
}

# £28 and 129 minutes in the hour before closing, £70 in the afternoon, four
# calls at once of up to 38 minutes, 25 attempts in the last minute, four
# chargeable numbers and one hot country: each is above a limit of the night
# and below those of the day.  Four calls go on, and small ones follow.
afternoon() {
	cat <<-'END'
		13:00:00 13:00:10 13:50:00 +2382211230
		13:05:00 13:05:10 13:50:00 +2382211231
		14:20:00 14:20:10 15:10:00 +2382211232
		14:25:00 14:25:10 15:10:00 +2382211233
		15:30:00 15:30:10 16:20:00 +2382211234
		17:01:00 17:01:05 17:01:30 +252990000001
		17:22:00 17:22:10 18:03:00 +2382211235
		17:24:00 17:24:10 18:04:00 +2382211236
		17:30:00 17:30:10 18:02:00 +2382211237
		17:35:00 17:35:10 18:01:00 +2382211238
		17:40:00 17:40:05 17:41:00 +448715550100
		17:42:00 17:42:05 17:43:00 +448715550100
		17:44:00 17:44:05 17:45:00 +448715550100
		17:46:00 17:46:05 17:47:00 +448715550100
		18:00:00 18:00:03 18:00:40 +441632960990
		18:00:01 - 18:00:09 +441632960990
		18:00:30 18:00:36 18:02:00 +447700900123
		18:30:00 18:30:04 18:31:00 +441632960990
	END
	for s in $(seq 10 34); do
		echo "17:59:$s - 17:59:59 +4416329609$s"
	done
}

for row in "winter 2026-01-15 0" "summer 2026-07-16 3600"; do
	read -r name day zone <<<"$row"
	afternoon | events "$day" "$zone" 0 >"$dir/$name.jsonl"
	backtest "$name"
	same "$name: nothing fires" "" "$(fired "$name")"
	# The control: from 18:01 on it is all outside.
	afternoon | events "$day" "$zone" 18060 >"$dir/$name-night.jsonl"
	backtest "$name-night"
	for rule in R01 R02 R03 R04 R05 R09 R10 R11; do
		check "$name: in the night $rule would" said "\"rule\":\"$rule\"" \
			"$dir/$name-night.out"
	done
done

# What accrues is split at the second: 90p a minute, 30 s at once and then by
# 6 s.  The first call's set-up charge is of the day, £10 of the night are
# full after 666 2/3 s; the second one's 45p are of the night.
echo "17:59:00 17:59:00 18:30:00 +252990000001" |
	events 2026-01-15 0 0 >"$dir/across.jsonl"
backtest across
same "a call up at closing counts from 18:00:00" \
	"2026-01-15T18:11:06.666667Z R01 warning" \
	"$(jq -r 'select(.rule == "R01") | [.time, .rule, .severity] |
		join(" ")' "$dir/across.out" | head -1)"
echo "17:59:50 18:00:05 18:30:00 +252990000001" |
	events 2026-01-15 0 0 >"$dir/later.jsonl"
backtest later
same "one that is answered later counts from then" \
	"2026-01-15T18:11:05.666667Z R01 warning" \
	"$(jq -r 'select(.rule == "R01") | [.time, .rule, .severity] |
		join(" ")' "$dir/later.out" | head -1)"

regime() { # LOCAL TIME
	"$t" explain --config config --account "$account" --at "$1" --json |
		jq -r .regime
}
for day in 2026-01-15 2026-07-16; do
	same "explain: $day 17:59:59 is inside" inside "$(regime "$day 17:59:59")"
	same "explain: $day 18:00:00 is outside" outside "$(regime "$day 18:00:00")"
done
same "explain: 17:00:00Z in July is 18:00 in London" outside \
	"$(regime 2026-07-16T17:00:00Z)"
same "explain: 17:00:00Z in January is not" inside \
	"$(regime 2026-01-15T17:00:00Z)"
finish
