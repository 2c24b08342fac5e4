#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of any program or of PostgreSQL in mid-attack: the same incidents and
# findings, nothing twice, no page lost, the database complete.
# KILLS=20 SEED=n; "make soak KILLS=500".
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"
kills=${KILLS:-20}
seed=${SEED:-$RANDOM}
RANDOM=$seed
deadline=$((SECONDS + ${SOAK_SECONDS:-200}))
psql=$(for b in /usr/lib/postgresql/*/bin/psql; do echo "$b"; done | sort -V | tail -1)

play() { # NAME
	"$t" run --config config --state "$dir/$1" >"$dir/$1.out" 2>"$dir/$1.err" &
	runner=$!
	pids="$pids $runner"
	wait_for 60 said 'collector: pid' "$dir/$1.err"
}
over() { said '^the night is over' "$dir/$1.out"; }
leave() { # and nothing stays behind
	kill -TERM "$runner"
	wait "$runner"
}
pid_of() { grep -o "$1: pid [0-9]*" "$2" | tail -1 | grep -o '[0-9]*$'; }
# What must be the same: incidents with their findings.
picture() { "$t" incidents --all --json --state "$dir/$1" |
	jq -S '{ref, id, account, family, severity, findings: ([.findings[].id] | sort)}'; }
inspect() { # NAME
	local s="$dir/$1" n
	"$t" incidents --all --json --state "$s" >"$dir/json"
	same "$1: no finding twice" "" \
		"$(jq -r '.findings[].id' "$dir/json" | sort | uniq -d)"
	same "$1: every page came to an end" 0 "$(jq -s '[.[].pages[] |
		select(.state != "sent" and .state != "cancelled")] | length' "$dir/json")"
	same "$1: no page number twice" "" "$(jq -r '.pages[].page' "$dir/json" | sort | uniq -d)"
	n=$(for r in 1 2; do "$t" show $r --json --state "$s" |
		jq '.timeline | length'; done | jq -s add)
	same "$1: the database has the timeline, once" "$n $n" "$("$psql" -X -A -t \
		-F ' ' -h "$(readlink "$s/pg.socket")" -U postgres -d tollwatch -c \
		"select count(*), count(distinct (stream, position, n))
		 from core.timeline where incident is not null")"
}

play calm
check "a calm night" wait_for 120 over calm
picture calm >"$dir/want"
same "two incidents" 2 "$(jq -s length "$dir/want")"
inspect calm
leave
rm -rf "$dir/calm"

done_kills=0 round=0 hit=""
while [ $done_kills -lt "$kills" ] && [ $SECONDS -lt $deadline ]; do
	round=$((round + 1))
	play "r$round"
	for _ in 1 2 3 4 5; do
		over "r$round" && break
		sleep "0.$(printf %03d $((RANDOM % 900)))"
		who=$(echo collector analyzer alerter postgresql |
			cut -d' ' -f$((RANDOM % 4 + 1)))
		p=$(pid_of "$who" "$dir/r$round.err")
		kill -9 "$p" 2>/dev/null || continue
		done_kills=$((done_kills + 1))
		hit="$hit $who"
	done
	check "round $round is over (seed $seed; killed until now:$hit)" \
		wait_for 120 over "r$round"
	picture "r$round" >"$dir/got"
	check "round $round: the same incidents and findings" \
		diff "$dir/want" "$dir/got"
	inspect "r$round"
	leave
	same "round $round: an ordered end" 0 $?
	[ $failures -eq 0 ] || { tail -40 "$dir/r$round.err"; break; }
	rm -rf "$dir/r$round"
done
check "$done_kills kills of $kills" [ $done_kills -ge $((kills * 3 / 4)) ]
finish
