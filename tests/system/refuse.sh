#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Receivers that refuse: tried again, the next contact at once, the next person
# at once, and "nobody could be told" when all fail; each on the timeline.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
need jq
t="$bin/tollwatch"
make -s "${BUILD:-build}/test/inject" "${BUILD:-build}/test/sink" || exit 1
pg_new || { not_ok "PostgreSQL starts"; finish; }
"$t" db migrate --dsn "$dsn" >/dev/null 2>&1
export DSN="host=$pg_sock user=tollwatch_alerter dbname=tollwatch"
export SECRET="whsec_$(head -c 32 /dev/zero | base64 -w0)"

sink() { # NAME OPTIONS...: its messages go to $dir/NAME
	local name=$1
	shift
	"$bin/test/sink" "$@" --secret "$SECRET" >"$dir/$name" 2>&1 &
	pids="$pids $!"
	wait_for 10 test -s "$dir/$name"
}
url() { head -1 "$dir/$1" | jq -r ".$2"; }

# site NAME SMTP HOOK: an alerter that uses them.
site() {
	local d="$dir/$1.d"
	mkdir -p "$d/c" "$d/run" "$d/site/alerter"
	ln -s "$d/run" "$d/site/run"
	cat >"$d/c/tollwatch.yaml" <<END
version: 1
site: {name: $1, timezone: Europe/London, division: england-and-wales, region: GB, clock: wall}
alerter:
  smtp: {relay: "$2", from: tollwatch@example.com, tls: none, timeout: 2s}
  webhooks:
    team: {url: "$3", secret: "\${env:SECRET}", private_network: true, timeout: 2s}
database: {dsn: "\${env:DSN}"}
people:
  alex:
    name: "Alex Example"
    login: $(id -un)
    email: alex@example.com
    webhook: team
    contacts: [{by: email}, {by: webhook, after: 10m}]
  sam: {name: "Sam Sample", webhook: team}
escalation:
  default: [{notify: alex, after: 0m}, {notify: sam, after: 20m, repeat: 30m}]
last_resort: sam
END
	"$bin/tollwatch-alerter" run --config "$d/c" --state "$d/site/alerter" \
		--bind "ipc://$d/run/findings" --command "$d/run/command" \
		>"$d/said" 2>"$d/err" &
	pids="$pids $!"
	wait_for 10 test -S "$d/run/command"
	echo "finding 1 $1 critical 250" | timeout 60 "$bin/test/inject" \
		"ipc://$d/run/findings" "$d/inject"
}
page() { # NAME PAGE KEY
	"$t" show 1 --json --state "$dir/$1.d/site" | jq -r ".pages[$(($2 - 1))].$3"
}
is() { [ "$(page "$1" "$2" "$3")" = "$4" ]; }
kinds() { # of the timeline in the database
	"$pg_bin/psql" -X -A -t -h "$pg_sock" -U postgres -d tollwatch -c \
		"select string_agg(coalesce(detail->>'state', kind), ' ' order by position, n)
		 from core.timeline tl join core.incident i on i.id = tl.incident
		 where i.account = '$1'"
}
stored() { [ "$(kinds "$1")" = "$2" ]; }

# Everything at once, so that the waits overlap.
sink busy --smtp --webhook --fail 4xx:1
sink down --smtp --webhook --fail 5xx
sink gone --smtp --webhook --fail 4xx
sink cut --smtp --webhook --fail reset:1
sink slow --smtp --webhook --fail slow:20s:1
sink good --smtp --webhook
for s in busy cut slow; do
	check "$s comes up" site $s "$(url $s smtp)" "$(url good webhook)"
done
check "down comes up" site down "$(url down smtp)" "$(url good webhook)"
down_pid=${pids##* }
check "gone comes up" site gone "$(url down smtp)" "$(url gone webhook)"

# 5xx of a mail server is for good: the webhook does not wait ten minutes.
check "554: given up" wait_for 5 is down 1 state failed-permanent
check "the next contact at once" wait_for 5 is down 2 state sent
same "one attempt" 1 "$(page down 1 attempts)"
check "it says why" [ "$(page down 1 error)" != null ]
kill "$down_pid" # the role has four connections

# Nothing works: alex by both, then sam, then nobody.
check "all refused: the next person" wait_for 5 is gone 3 person sam
check "and nobody could be told" wait_for 5 said 'nobody could be told' \
	"$dir/gone.d/said"
same "shown" true "$("$t" show 1 --json --state "$dir/gone.d/site" | jq .nobody_told)"
check "and on the record, step by step" wait_for 20 stored gone \
	"opened finding step queued queued sending failed-permanent queued sending failed-permanent step queued sending failed-permanent nobody"

# Temporary: again after five seconds and a little.
for s in busy cut slow; do
	check "$s: sent at the second try" wait_for 15 is $s 1 state sent
	same "$s: two attempts" 2 "$(page $s 1 attempts)"
	check "$s: both on the record" wait_for 10 stored $s \
		"opened finding step queued queued sending failed-temporary sending sent"
done
if [ $failures -gt 0 ]; then
	for s in gone busy cut slow; do
		echo "$s: $(kinds $s)"
		cat "$dir/$s.d/err" "$dir/$s.d/said" | tail -5
	done
fi
finish
