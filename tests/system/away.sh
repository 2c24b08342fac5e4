#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The database is away for the whole attack: pages go, an acknowledgement
# stops them, a kill loses nothing; afterwards every row is there once, in
# order, with its true time; and the NOC sees no number.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
need jq
t="$bin/tollwatch"
make -s "${BUILD:-build}/test/inject" "${BUILD:-build}/test/sink" || exit 1
pg_new || { not_ok "PostgreSQL starts"; finish; }
"$t" db migrate --dsn "$dsn" >/dev/null 2>"$dir/migrate.err"
same "the schema is there" 0 $?

secret="whsec_$(head -c 32 /dev/zero | base64 -w0)"
"$bin/test/sink" --smtp --webhook --secret "$secret" >"$dir/sink" 2>&1 &
pids="$pids $!"
wait_for 10 test -s "$dir/sink"
smtp=$(head -1 "$dir/sink" | jq -r .smtp)
hook=$(head -1 "$dir/sink" | jq -r .webhook)

mkdir -p "$dir/c" "$dir/run" "$dir/site/alerter"
ln -s "$dir/run" "$dir/site/run"
cat >"$dir/c/tollwatch.yaml" <<END
version: 1
site: {name: test, timezone: Europe/London, division: england-and-wales, region: GB, clock: wall}
alerter:
  smtp: {relay: "$smtp", from: tollwatch@example.com, tls: none}
  webhooks:
    team: {url: "$hook", secret: "\${env:SECRET}", private_network: true}
database: {dsn: "\${env:DSN}"}
people:
  alex: {name: "Alex Example", login: $(id -un), email: alex@example.com, webhook: team}
  sam: {name: "Sam Sample", email: sam@example.com}
escalation:
  default: [{notify: alex, after: 0s}, {notify: sam, after: 4s, repeat: 15m}]
last_resort: sam
END
export SECRET="$secret" DSN="host=$pg_sock user=tollwatch_alerter dbname=tollwatch"
start_alerter() {
	"$bin/tollwatch-alerter" run --config "$dir/c" \
		--state "$dir/site/alerter" --bind "ipc://$dir/run/findings" \
		--command "$dir/run/command" --metrics "unix:$dir/run/alerter" \
		>>"$dir/said" 2>>"$dir/err" &
	alerter=$!
	pids="$pids $alerter"
	wait_for 10 answers
}
answers() { [ -S "$dir/run/command" ] && "$t" incidents --state "$dir/site" >/dev/null 2>&1; }
inject() { timeout 60 "$bin/test/inject" "ipc://$dir/run/findings" "$dir/inject"; }
got() { tail -n +2 "$dir/sink" | wc -l; }
at_least() { [ "$(got)" -ge "$1" ]; }
: >"$dir/said"
check "the alerter comes up" start_alerter
echo "finding 1 acme critical 150" | inject
check "paged with the database there" wait_for 5 at_least 2
rows() { sql postgres "$1" 2>/dev/null || "$pg_bin/psql" -X -q -A -t -h "$pg_sock" -U postgres -d tollwatch -c "$1"; }
in_db() { [ "$("$pg_bin/psql" -X -A -t -h "$pg_sock" -U postgres -d tollwatch -c "$1" 2>/dev/null)" = "$2" ]; }
check "and on the record" wait_for 10 in_db "select count(*) from core.incident" 1
"$t" ack 1 --state "$dir/site" >/dev/null
same "acknowledged by the login" 0 $?

kill -INT "$(head -1 "$pg_dir/postmaster.pid")"
wait "$pg_pid" 2>/dev/null
gone_at=$(date +%s%6N)
before=$(got)
begin=$(date +%s%N)
echo "finding 2 beta critical 250" | inject
check "database away: paged" wait_for 10 at_least $((before + 2))
ms=$((($(date +%s%N) - begin) / 1000000))
check "within 2 s of the finding ($ms ms)" [ $ms -lt 2000 ]
kill -9 "$alerter"
wait "$alerter" 2>/dev/null
check "killed and back" start_alerter
check "and goes on: the next person" wait_for 15 said 'sent to sam' "$dir/said"
"$t" ack 2 --state "$dir/site" --note "calling them" >/dev/null
same "acknowledged without the database" 0 $?
sleep 1
quiet=$(got)
printf 'exposure beta 5000\nsleep 500\nexposure beta 50000\nsleep 500\n' | inject
sleep 5
same "no page after it" "$quiet" "$(got)"
"$t" resolve 2 --verdict fraud --state "$dir/site" >/dev/null 2>"$dir/refused"
same "a verdict is refused: try again" 75 $?
check "with a sentence" said 'database is away' "$dir/refused"
same "every message once" "" "$(tail -n +2 "$dir/sink" | jq -r .id | sort | uniq -d)"
same "every webhook signed" "" "$(tail -n +2 "$dir/sink" | jq -r 'select(.verified == false) | .id')"

back_at=$(date +%s%6N)
check "the database comes back" pg_start
facts() { "$t" show "$1" --json --state "$dir/site" | jq '.timeline | length'; }
want=$(($(facts 1) + $(facts 2)))
check "every row lands" wait_for 30 in_db \
	"select count(*) from core.timeline where incident is not null" "$want"
check "once" in_db "select count(*) - count(distinct (stream, position, n)) from core.timeline" 0
check "in order" in_db "select count(*) from (select at < lag(at) over (order by position, n) as back from core.timeline) s where back" 0
check "with its true time" in_db "select count(*) from core.incident where ref = 2 and extract(epoch from opened_at) * 1000000 between $gone_at and $back_at and extract(epoch from acked_at) * 1000000 between $gone_at and $back_at" 1
"$t" resolve 2 --verdict fraud --state "$dir/site" >/dev/null
same "now the verdict is taken" 0 $?

noc() { "$pg_bin/psql" -X -A -t -h "$pg_sock" -U tollwatch_noc -d tollwatch -c "$1" 2>&1; }
for v in $(rows "select viewname from pg_views where schemaname = 'noc'"); do
	noc "select * from noc.$v"
done >"$dir/noc"
check "the NOC sees the incidents" said acme "$dir/noc"
if grep -E '252611234567|@example\.com' "$dir/noc"; then
	not_ok "and no number or address"
else
	ok "and no number or address"
fi
check "no table" [ -n "$(noc 'select * from core.evidence_call' | grep 'permission denied')" ]
if grep -rq 252611234567 "$dir/said" "$dir/err" "$dir/sink"; then
	not_ok "no number in logs, lines or messages"
else
	ok "no number in logs, lines or messages"
fi
[ $failures -eq 0 ] || tail -20 "$dir/err" "$dir/sink"
finish
