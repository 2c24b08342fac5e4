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
  priya: {name: "Priya Pattern", email: priya@example.com}
escalation:
  default: [{notify: alex, after: 0s}, {notify: sam, after: 4s}, {notify: priya, after: 8s, repeat: 15m}]
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
in_db() { [ "$("$pg_bin/psql" -X -A -t -h "$pg_sock" -U postgres -d tollwatch -c "$1" 2>/dev/null)" = "$2" ]; }
check "and on the record" wait_for 10 in_db "select count(*) from core.incident" 1
"$t" ack 1 --state "$dir/site" >/dev/null
same "acknowledged by the login" 0 $?

show() { "$t" show "$1" --json --state "$dir/site"; }
kill9() {
	kill -9 "$alerter"
	wait "$alerter" 2>/dev/null
}
kill -INT "$(head -1 "$pg_dir/postmaster.pid")"
wait "$pg_pid" 2>/dev/null
gone_at=$(date -u +%FT%T.%6NZ)
before=$(got)
begin=$(date +%s%N)
echo "finding 2 beta critical 250" | inject
check "database away: paged" wait_for 10 at_least $((before + 2))
ms=$((($(date +%s%N) - begin) / 1000000))
check "within 2 s of the finding ($ms ms)" [ $ms -lt 2000 ]
kill9
check "killed and back" start_alerter
check "and goes on: the next person" wait_for 15 said 'sent to sam' "$dir/said"
"$t" ack 2 --state "$dir/site" --note "rang +442079460123" >/dev/null
same "acknowledged without the database" 0 $?
wait_for 5 at_least $((before + 3))
same "three messages: alex by both, sam" $((before + 3)) "$(got)"
printf 'exposure beta 5000\nsleep 500\nexposure beta 50000\nsleep 500\n' | inject
check "the pounds have come" [ "$(show 2 | jq -r .exposure_gbp)" = 500.00 ]
"$t" resolve 2 --verdict fraud --state "$dir/site" >/dev/null 2>"$dir/refused"
same "a verdict is refused: try again" 75 $?
check "with a sentence" said 'database is away' "$dir/refused"
sleep 6 # the third step's time passes
same "no page after it" $((before + 3)) "$(got)"

# What was found while it was down comes when it is back.
kill9
echo "finding 3 gamma warning 350" | inject &
injector=$!
sleep 1
begin=$(date +%s%N)
check "killed again and back" start_alerter
check "paged for what it missed" wait_for 10 at_least $((before + 5))
ms=$((($(date +%s%N) - begin) / 1000000))
check "soon after its start ($ms ms)" [ $ms -lt 5000 ]
wait $injector
same "which is safe" 0 $?
same "still acknowledged" "acknowledged alex" \
	"$(show 2 | jq -r '"\(.state) \(.acked_by)"')"
same "a signed webhook each" "true 3" "$(tail -n +2 "$dir/sink" |
	jq -rs 'map(select(.channel == "webhook").verified) | "\(all) \(length)"')"
same "one message a page" "$(for i in 1 2 3; do show $i | jq '.pages[].page'; done)" \
	"$(tail -n +2 "$dir/sink" | jq -r .id | grep -o '[0-9]*\(@.*\)\?$' |
		grep -o '^[0-9]*' | sort -n)"
sent() { [ "$(show 3 | jq '[.pages[] | select(.state == "sent")] | length')" = 2 ]; }
check "nothing is under way" wait_for 5 sent
kill9
check "killed with nothing to do" start_alerter

back_at=$(date -u +%FT%T.%6NZ)
check "the database comes back" pg_start
utc='YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
stored() { # INCIDENT: its timeline, as the database took it
	psql "select kind || ' ' || to_char(at at time zone 'UTC', '$utc')
		from core.timeline where incident = (select id from core.incident
		where ref = $1) order by id"
}
psql() { "$pg_bin/psql" -X -A -t -h "$pg_sock" -U postgres -d tollwatch -c "$1" 2>/dev/null; }
known() { show "$1" | jq -r '.timeline[] | "\(.kind) \(.at)"'; }
landed() { [ "$(stored 3)" = "$(known 3)" ]; }
check "every row lands, and nothing else has to happen" wait_for 30 landed
for i in 1 2 3; do
	same "incident $i: each row once, in order, at its true time" \
		"$(known $i)" "$(stored $i)"
	same "incident $i: as it is shown" "$(show $i | jq -r '[.state, .severity,
			.opened, (.acked_by // ""), (.findings | length),
			(.exposure_gbp | tonumber)] | map(tostring) | join("|")')" \
		"$(psql "select state, severity, to_char(opened_at at time zone 'UTC',
			'$utc'), acked_by, findings, trim_scale(exposure_gbp)
			from core.incident where ref = $i")"
	same "incident $i: its pages" "$(show $i | jq -r '.pages[] | [.page, .person,
			.channel, .reason, .state, .attempts, .queued, .sent] |
			map(tostring) | join("|")')" \
		"$(psql "select page, person, channel, reason, state, attempts,
			to_char(queued_at at time zone 'UTC', '$utc'),
			to_char(sent_at at time zone 'UTC', '$utc')
			from core.delivery where incident = (select id from
			core.incident where ref = $i) order by page")"
done
same "nothing beside them" "3|3|3" "$(psql "select
	(select count(*) from core.incident), (select count(*) from core.finding),
	(select count(*) from core.evidence_call)")"
same "what happened meanwhile was written down later" 0 "$(psql "select count(*)
	from core.timeline where incident <> (select id from core.incident
	where ref = 1) and not (at between '$gone_at' and '$back_at'
		and recorded_at > '$back_at')")"
same "the people are there" "alex|Alex Example priya|Priya Pattern sam|Sam Sample" \
	"$(psql "select handle, name from core.person where valid_until is null
		order by handle" | tr '\n' ' ' | sed 's/ $//')"
"$t" resolve 2 --verdict fraud --state "$dir/site" >/dev/null
same "now the verdict is taken" 0 $?
check "and kept" wait_for 10 in_db \
	"select state || ' ' || verdict from core.incident where ref = 2" "resolved fraud"

noc() { "$pg_bin/psql" -X -A -t -h "$pg_sock" -U tollwatch_noc -d tollwatch -c "$1" 2>&1; }
for v in $(psql "select viewname from pg_views where schemaname = 'noc'"); do
	noc "select * from noc.$v"
done >"$dir/noc"
check "the NOC sees the incidents" said 'account:a-' "$dir/noc"
same "and not whose" "" "$(grep acme "$dir/noc")"
check "and who took it" said 'Alex Example' "$dir/noc"
if grep -E '2611234567|2079460123|@example\.com' "$dir/noc"; then
	not_ok "and no number or address"
else
	ok "and no number or address"
fi
tables=$(psql "select schemaname || '.' || tablename from pg_tables
	where schemaname not in ('pg_catalog', 'information_schema')")
for table in $tables; do
	noc "select * from $table limit 1"
done >"$dir/denied"
same "no table of $(echo "$tables" | wc -l)" "$(echo "$tables" | wc -l)" \
	"$(grep -c 'permission denied' "$dir/denied")"
if grep -rq 252611234567 "$dir/said" "$dir/err" "$dir/sink"; then
	not_ok "no number in logs, lines or messages"
else
	ok "no number in logs, lines or messages"
fi
[ $failures -eq 0 ] || tail -n 20 "$dir/err" "$dir/sink"
finish
