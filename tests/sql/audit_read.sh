#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An auditor reads the log: for a reason, for a span of time, and not without a
# line of it that says so, committed before.  And the log is verified while it
# is written.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
. tests/support/session.sh
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
"$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1 || {
	not_ok "migrate: $(tail -1 "$dir/migrate")"
	finish
}
root() { sql postgres "$1"; }
auditor() { sql tollwatch_auditor "$1" 2>&1; }
reason="'the yearly review of access'"
request() { # NAME [REASON [FROM [TO]]]
	echo "audit.read_request($(token "$1"), ${3:-now() - interval '1 day'},
		${4:-now() + interval '1 day'}, ${2:-$reason})"
}
asks() { auditor "select code from $(request "$@")"; }
ticket() { auditor "select ticket from $(request "$@")"; }
# reads NAME TICKET: the code, or "ok" and how many; once more when the disk is
# behind, as the command does.
reads() {
	local i got
	for i in 1 2 3; do
		got=$(auditor "select code, count(*) from audit.read($(token "$1"), $2, null, 0, 10000)
			group by code")
		[ "$got" = "not_durable|1" ] || break
	done
	echo "${got%%|*}"
}
last() { root "select action || ' ' || code || ' ' || coalesce(actor, '-') from audit.event order by id desc limit 1"; }

person aud human auditor
person bea human auditor
person olga human oncall manager admin engineer dpo

same "an auditor asks" ok "$(asks aud)"
same "which is a line of the log" "audit_read ok aud" "$(last)"
t=$(ticket aud)
same "and reads" ok "$(reads aud "$t")"
check "his own question is in it" [ "$(auditor "select count(*) from audit.read($(token aud), $t, 'auditor', 0, 10000)
	where action = 'audit_read' and words = $reason and words_intact")" -gt 0 ]
same "nobody's session" no_session "$(asks eve)"
same "which is a line as well" "audit_read no_session -" "$(last)"
same "no role of another makes an auditor" not_role "$(asks olga)"
same "nor reads with an auditor's request" not_role "$(reads olga "$t")"
same "nor another auditor" not_yours "$(reads bea "$t")"
same "a request that is none" unknown_ticket "$(reads aud 0)"
same "nor null" unknown_ticket "$(reads aud null)"
same "which is a line too" "audit_read unknown_ticket aud" "$(last)"
same "no reason" bad_reason "$(asks aud "''")"
same "a short one" bad_reason "$(asks aud "'because'")"
same "null" bad_reason "$(asks aud null)"
same "two lines" bad_reason "$(asks aud "E'a reason of\ntwo lines'")"
same "a span of nothing" bad_span "$(asks aud "$reason" "now()" "now()")"
same "for ever" bad_span "$(asks aud "$reason" "'-infinity'")"
same "null for a time" bad_span "$(asks aud "$reason" "null::timestamptz")"
same "a span shows what is in it" 0 "$(auditor "select count(*) from audit.read($(token aud),
	$(ticket aud "$reason" "now() - interval '3 days'" "now() - interval '2 days'"), null, 0, 100)")"

# A22: a look that is undone would leave no line.
rolled() { # SQL TICKET, in one transaction that is undone: what was shown
	"$pg_bin/psql" -X -q -A -t -h "$pg_sock" -U tollwatch_auditor -d tollwatch 2>&1 <<END
begin;
$1
rollback;
END
}
same "A22: asked and read in one transaction" not_committed "$(rolled "select ticket as t from $(request aud) \\gset
	select code from audit.read($(token aud), :t, null, 0, 10) limit 1;")"
same "A22: with a savepoint" not_committed "$(rolled "savepoint s; select ticket as t from $(request aud) \\gset
	release s; select code from audit.read($(token aud), :t, null, 0, 10) limit 1;")"
lost=$(rolled "select ticket from $(request aud);")
same "A22: asked, undone, read" unknown_ticket "$(reads aud "$lost")"
root "update audit.reading set until = now() - interval '1 second' where id = $t"
same "a request that is over" expired "$(reads aud "$t")"
t=$(ticket aud)
session_end aud
same "a session that is over" expired "$(reads aud "$t")"
log_in aud 'aud again' || not_ok "log in"

for s in "select * from audit.event" "select * from audit.words" "select * from audit.reading" \
	"select * from audit.checkpoint" "insert into audit.event default values" \
	"select audit.append('x', 'ok', 'y')" "select audit.fingerprint()" \
	"select audit.checkpoint_made(1, repeat('0', 64))" "set role tollwatch_audit" \
	"select * from core.incident" "select * from audit.head"; do
	check "A12: the auditor may not: $s" [ "$(auditor "$s" | grep -c 'permission denied')" -gt 0 ]
done
checkpoint() { sql tollwatch_checkpoint "$1" 2>&1; }
for s in "select * from audit.words" "delete from audit.event" "update audit.head set seq = 1" \
	"insert into audit.checkpoint values (1, now(), repeat('0', 64))" "select * from audit.reading" \
	"select audit.append('x', 'ok', 'y')" "select * from core.incident" "set role tollwatch_audit" \
	"select * from authn.session"; do
	check "A12: nor the checkpoint: $s" [ "$(checkpoint "$s" | grep -c 'permission denied')" -gt 0 ]
done
same "a checkpoint is told once" "ok not_next not_next not_next" "$(for v in "5, repeat('0', 64)" \
	"5, repeat('1', 64)" "4, repeat('0', 64)" "6, 'x'"; do
	checkpoint "select audit.checkpoint_made($v)"; done | xargs)"
check "and stays" [ "$(root "delete from audit.checkpoint" 2>&1 | grep -c append-only)" -gt 0 ]

# ---- the command ----
export XDG_RUNTIME_DIR=$dir/run
mkdir -p -m 700 "$XDG_RUNTIME_DIR/tollwatch"
session=$XDG_RUNTIME_DIR/tollwatch/session
as="host=$pg_sock user=tollwatch_auditor dbname=tollwatch"
export_log() {
	"$bin/tollwatch" audit export --from 2020-01-01 --to 2099-01-01T00:00:00Z --dsn "$as" \
		--reason 'the yearly review of access' "$@" >"$dir/out" 2>"$dir/err"
}
export_log
same "nobody is logged in" 1 $?
check "and is told so" said "nobody is logged in: tollwatch login" "$dir/err"
(umask 077; printf %s 'aud again' | sha256sum | cut -c1-64 >"$session")
chmod 644 "$session"
export_log
same "a session that others can read" 1 $?
chmod 600 "$session"
root "insert into audit.event (stream, actor, login, action, code, subject, purpose, authority, detail) values
	('access', '=HYPERLINK(\"http://192.0.2.1\")', '+44', 'a', 'ok', '-1', '@sum', E'\tx', 'say \"a,b\"')" || not_ok "insert"
for i in 1 2 3; do
	export_log --csv && break
done
check "export --csv" [ -s "$dir/out" ]
# B04: read as a spreadsheet would, nothing begins a formula.
same "B04: no cell is a formula, and none is lost" "ok" "$(python3 - "$dir/out" <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline='')))
cells = [c for r in rows for c in r.values() if c]
bad = [c for c in cells if c[0] in '=+-@\t\r\n']
row = [r for r in rows if r['action'] == 'a'][0]
good = (row['actor'] == "'=HYPERLINK(\"http://192.0.2.1\")" and row['login'] == "'+44"
        and row['subject'] == "'-1" and row['purpose'] == "'@sum" and row['authority'][1:] == "\tx"
        and row['detail'] == 'say "a,b"')
print('ok' if good and not bad and len(rows) > 20 else (bad, row, len(rows)))
END
)"
export_log --json
same "export --json: every event but what came after" "$(root "select count(*) from audit.event")" "$(wc -l <"$dir/out")"
same "with types" "number string null" "$(jq -rs '.[] | select(.action == "a")
	| [(.event, .actor, .incident) | type] | join(" ")' "$dir/out")"
same "each a line that says so" "audit_read ok aud" "$(last)"
check "and no token in the log of the server" [ "$(grep -c "$(cat "$session")" "$dir/pg.log")" = 0 ]

# ---- verified while it is written ----
"$bin/tollwatch" audit key --out "$dir/keys" >/dev/null
mkdir "$dir/a" "$dir/b"
root "alter table audit.checkpoint disable trigger checkpoint_stays; delete from audit.checkpoint;
	alter table audit.checkpoint enable always trigger checkpoint_stays"
make_one() {
	"$bin/tollwatch" audit checkpoint --key "$dir/keys/checkpoint.key" --to "$dir/a" \
		--to "$dir/b" --dsn "host=$pg_sock user=tollwatch_checkpoint dbname=tollwatch" >>"$dir/made" 2>&1
}
make_one
touch "$dir/on"
while [ -e "$dir/on" ]; do
	make_one || echo "failed" >>"$dir/made"
done &
busy=$!
for s in access alerter; do
	while [ -e "$dir/on" ]; do
		for _ in $(seq 50); do
			echo "insert into audit.event (stream, login, action, code) values ('$s', 'x', 'busy', 'ok');"
		done | "$pg_bin/psql" -X -q -h "$pg_sock" -U postgres -d tollwatch
	done &
	busy="$busy $!"
done
pids="$pids $busy"
wrong=0
for _ in $(seq 30); do
	"$bin/tollwatch" audit verify --pub "$dir/keys/checkpoint.pub" --checkpoints "$dir/a" \
		--checkpoints "$dir/b" --dsn "host=$pg_sock user=tollwatch_checkpoint dbname=tollwatch" \
		>"$dir/said" 2>&1 || {
		wrong=$((wrong + 1))
		head -3 "$dir/said" | sed 's/^/# /'
	}
done
rm "$dir/on"
# shellcheck disable=SC2086
wait $busy
same "thirty times right while it is written" 0 $wrong
check "while $(grep -c '^checkpoint' "$dir/made") checkpoints were made" [ "$(grep -c '^checkpoint' "$dir/made")" -gt 10 ]
same "each of them" 0 "$(grep -vc '^checkpoint' "$dir/made")"
check "and events went on" [ "$(root "select count(*) from audit.event where action = 'busy'")" -gt 100 ]
finish
