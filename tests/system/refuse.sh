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
sql postgres "alter role tollwatch_alerter connection limit 20" # many sites
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

# Ten minutes and twenty: what comes sooner came because something failed.
first_mail="people:
  alex:
    name: Alex Example
    login: $(id -un)
    email: alex@example.com
    webhook: team
    contacts: [{by: email}, {by: webhook, after: 10m}]
  sam: {name: Sam Sample, webhook: team}
escalation:
  default: [{notify: alex, after: 0m}, {notify: sam, after: 20m, repeat: 30m}]
last_resort: sam"
first_hook="people:
  alex: {name: Alex Example, webhook: team}
  sam: {name: Sam Sample, email: sam@example.com}
escalation:
  default: [{notify: alex, after: 0s}, {notify: sam, after: 3s, repeat: 30m}]
last_resort: sam"

# site NAME SMTP HOOK: an alerter that uses them, with $people.
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
$people
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
	psql "select string_agg(coalesce(detail->>'state', kind), ' ' order by tl.id)
		from core.timeline tl join core.incident i on i.id = tl.incident
		where i.account = '$1'"
}
psql() { "$pg_bin/psql" -X -A -t -h "$pg_sock" -U postgres -d tollwatch -c "$1"; }
row() { # NAME PAGE COLUMNS: of its tries
	psql "select $3 from core.delivery_attempt a
		join core.delivery d on d.id = a.delivery
		join core.incident i on i.id = d.incident
		where i.account = '$1' and d.page = $2"
}
stored() { [ "$(kinds "$1")" = "$2" ]; }

in_row() { [[ $(row hook-never 1 "string_agg(a.state, ' ' order by a.id)") == "$1"* ]]; }

# Everything at once, so that the waits overlap.
sink busy --smtp --webhook --fail 4xx:1
sink down --smtp --webhook --fail 5xx
sink gone --smtp --webhook --fail 4xx
sink cut --smtp --webhook --fail reset:1
sink slow --smtp --webhook --fail slow:20s:1
sink good --smtp --webhook
sink never --webhook --fail 503
people=$first_mail
for s in busy cut slow; do
	check "$s comes up" site $s "$(url $s smtp)" "$(url good webhook)"
done
check "down comes up" site down "$(url down smtp)" "$(url good webhook)"
check "gone comes up" site gone "$(url down smtp)" "$(url gone webhook)"
people=$first_hook
for s in never cut slow; do
	check "$s comes up as a webhook" site hook-$s "$(url good smtp)" \
		"$(url $s webhook)"
done

# 5xx of a mail server is for good: the webhook does not wait ten minutes.
check "554: given up" wait_for 5 is down 1 state failed-permanent
check "the next contact at once" wait_for 5 is down 2 state sent
same "one attempt" 1 "$(page down 1 attempts)"
check "it says why" [ "$(page down 1 error)" != null ]
check "all on the record" wait_for 10 stored down \
	"opened finding step queued queued sending failed-permanent queued sending sent"

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
for s in cut slow; do
	check "webhook $s: sent at the second try" \
		wait_for 15 is hook-$s 1 state sent
	same "webhook $s: two attempts" 2 "$(page hook-$s 1 attempts)"
done

# A webhook that is never well: tried on and on, and meanwhile the next person
# has their turn when the config says so.
check "never: sam is told" wait_for 5 is hook-never 2 state sent
tried() { [ "$(page hook-never 1 attempts)" -ge 2 ]; }
check "never: tried again" wait_for 15 tried
check "never: both tries on the record" wait_for 10 in_row "sending failed-temporary sending failed-temporary"
same "never: after five seconds and up to a quarter more" t "$(row hook-never 1 \
	"max(a.at) filter (where a.attempt = 2 and a.state = 'sending') -
	min(a.at) filter (where a.state = 'failed-temporary')
	between '5 s' and '6.5 s'")"
same "never: sam in turn, three seconds after alex" t "$(psql "select
	max(d.queued_at) - min(d.queued_at) between '3 s' and '4 s'
	from core.delivery d join core.incident i on i.id = d.incident
	where i.account = 'hook-never'")"
same "never: why, each time" t "$(row hook-never 1 \
	"bool_and(a.error like '%503%') filter (where a.state like 'failed%')")"
same "nobody_at of gone alone" gone "$(psql "select string_agg(account, ' ')
	from core.incident where nobody_at is not null")"

# What receivers answered is shown to the NOC without an address.
noc() { "$pg_bin/psql" -X -A -t -h "$pg_sock" -U tollwatch_noc -d tollwatch -c "$1" 2>&1; }
for v in $(psql "select viewname from pg_views where schemaname = 'noc'"); do
	noc "select * from noc.$v"
done >"$dir/noc"
check "the NOC sees that nobody could be told" said 'nobody could be told' "$dir/noc"
check "and what failed" said 'failed-permanent.*55[0-9]' "$dir/noc"
same "and no number or address" "" "$(grep -E '2611234567|@example' "$dir/noc")"
if [ $failures -gt 0 ]; then
	for s in gone down busy cut slow hook-never hook-cut hook-slow; do
		echo "$s: $(kinds $s)"
		cat "$dir/$s.d/err" "$dir/$s.d/said" | tail -n 5
	done
fi
finish
