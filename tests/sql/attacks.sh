#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Attacks on disclosure, decisions and actions, over connections of their own
# as an attacker has them.  Ids are those of reference/security.md, section 4;
# D..: ours.  Beside each refusal, something much like it that is allowed.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
. tests/support/session.sh
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
"$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1 || {
	not_ok "migrate: $(tail -1 "$dir/migrate")"
	finish
}
canary='252907700' # in every number of the evidence and nowhere else
why="'the customer is on the phone'"

# incident N ACCOUNT [AGE]: opened, with two calls; it gets the id $last.
position=0
incident() {
	position=$((position + 1))
	sql tollwatch_alerter "select alerter.apply('t', $position, jsonb_build_object('facts', jsonb_build_array(
		jsonb_build_object('kind', 'opened', 'at', now(), 'ref', $1, 'id', 'f$1',
			'family', '${3:-toll}', 'subject', '${4:-account:$2}', 'account', nullif('$2', ''),
			'account_name', 'Canary Name $1', 'severity', 'critical'),
		jsonb_build_object('kind', 'finding', 'at', now(), 'ref', $1, 'finding',
			jsonb_build_object('id', 'f$1', 'rule', 'R01', 'name', 'spend-60m',
			'severity', 'critical', 'key', 'account:$2', 'trunk', 't-$1'),
			'calls', jsonb_build_array(
			jsonb_build_object('key', '01', 'callee', '+${canary}00$1', 'country', 'SO',
				'setup', now(), 'cost_gbp', '2.70', 'live', true),
			jsonb_build_object('key', '02', 'callee', '+441632960123', 'country', 'GB',
				'setup', now(), 'cost_gbp', '0.10', 'live', false))))))" >/dev/null
	last=$(sql postgres "select max(id) from core.incident where ref = $1")
}
facts() { # a fact of the alerter's
	position=$((position + 1))
	sql tollwatch_alerter "select alerter.apply('t', $position, jsonb_build_object('facts', jsonb_build_array($1)))" >/dev/null
}
hash() { echo "encode(sha256('$1'), 'hex')"; }
# rota NAME PERSON...: all of them on call from an hour ago to tomorrow.
rota() {
	local name=$1 p list=""
	shift
	for p in "$@"; do
		list="$list, jsonb_build_object('person', '$p', 'from',
			now() - interval '1 hour', 'until', now() + interval '1 day')"
	done
	sql tollwatch_alerter "select alerter.shifts($(hash "$name"), jsonb_build_array(${list#,}))" | grep .
	return "${PIPESTATUS[0]}"
}
req() { # NAME INCIDENT [FIELDS [PURPOSE [REASON]]]: as SQL
	echo "api.disclose_request($(token "$1"), $2, ${3:-array['callee']}, ${4:-'triage'}, ${5:-$why})"
}
console() { sql tollwatch_console "$1" 2>&1; }
asks() { console "select code from $(req "$@")"; }
ticket() { console "select ticket from $(req "$@")"; }
shows() { # once more when the disk is behind, as its client does
	local got
	got=$(look "$@")
	[ "$got" != 'not_durable|' ] || got=$(look "$@")
	echo "$got"
}
# soon NAME WANT SQL: asked by the alerter, which asks every few seconds.
soon() {
	local got i
	for i in 1 2 3; do
		got=$(sql tollwatch_alerter "$3")
		[ "$got" != "$2" ] || break
	done
	same "$1" "$2" "$got"
}
look() { console "select code, value from api.disclose($(token "$1"), $2)"; }
refused() { # NAME ROLE SQL: by permission
	local got
	got=$("$pg_bin/psql" -X -q -A -t -h "$pg_sock" -U "$2" -d tollwatch \
		-v VERBOSITY=sqlstate -c "$3" 2>&1)
	case $got in
	*42501*) ok "$1" ;;
	*) not_ok "$1: got '$got'" ;;
	esac
}
secret() { # NAME TEXT: nothing of the evidence is in it
	case $2 in
	*"$canary"*) not_ok "$1: a number was shown" ;;
	*'no answer'*) not_ok "$1: no answer" ;;
	*) ok "$1" ;;
	esac
}
shown() { # NAME TEXT
	case $2 in
	*"$canary"*) ok "$1" ;;
	*) not_ok "$1: nothing shown: '$2'" ;;
	esac
}

person alex human oncall
person sam human oncall
person kit human oncall manager
person mo human manager
person mia human manager
person dee human dpo
person bot service oncall
sql tollwatch_alerter "select alerter.actions('[{\"name\": \"bar-international\",
	\"family\": \"toll\", \"says\": \"Bars calls abroad.\", \"lasts_s\": 3600}]')"
incident 1 acme
one=$last
incident 2 other
two=$last
rota first alex bot

# ---- A14, A15: what the services' own log-ins are refused
refused "A14 the alerter reads numbers back" tollwatch_alerter \
	"select callee from core.evidence_call"
refused "A14 the alerter reads names back" tollwatch_alerter \
	"select account_name from core.incident"
refused "A14 the alerter decides" tollwatch_alerter \
	"select api.verdict($(token alex), $one, 'fraud', $why)"
refused "A14 the alerter acts" tollwatch_alerter \
	"select api.act($(token alex), $one, 'bar-international', $why)"
refused "A14 the alerter writes an action" tollwatch_alerter \
	"insert into access.action (kind) values ('bar-international')"
same "A14 control: it asks what is to be told" "" \
	"$(sql tollwatch_alerter "select * from alerter.notices(0)" 2>&1)"
refused "A15 the console mints a session" tollwatch_console \
	"insert into authn.session (token_hash) values (sha256('x'))"
refused "A15 the console reads sessions" tollwatch_console \
	"select * from authn.session"
refused "A15 the console asks who somebody is" tollwatch_console \
	"select authn.who($(token alex), null, null)"
refused "A15 the console appends an event" tollwatch_console \
	"select audit.append('login', 'ok', 'alex')"
refused "A15 the console writes a ticket" tollwatch_console \
	"insert into access.ticket (staff) values (1)"
refused "A15 the console writes a shift" tollwatch_console \
	"insert into access.shift (handle) values ('sam')"
refused "A15 the console tells of shifts" tollwatch_console \
	"select alerter.shifts($(hash x), '[]')"
refused "A15 the console reads evidence" tollwatch_console \
	"select * from access.values_of($one, array['callee'])"
t=$(ticket alex "$one")
shown "A15 control: a person on shift is shown the number" "$(shows alex "$t")"
same "A15 control: and the look is in the log, sealed" "ok|triage|callee" \
	"$(sql postgres "select e.code, e.purpose, e.fields from audit.event e
	join audit.link l on l.event = e.id
	where e.ticket = $t and e.action = 'disclose_request'")"

# ---- A16: no session
same "A16 a token nobody has" no_session "$(asks nobody "$one")"
same "A16 no token" no_session "$(console "select code from api.disclose_request(null, $one, array['callee'], 'triage', $why)")"
same "A16 an empty token" no_session "$(console "select code from api.disclose_request('', $one, array['callee'], 'triage', $why)")"
same "A16 control: alex's" ok "$(asks alex "$one")"
person gone human oncall
rota first alex bot gone
t=$(ticket gone "$one")
sql postgres "update authn.staff set active = false, ended_at = now() where handle = 'gone'"
case $(asks gone "$one") in
inactive | no_session) ok "A16 a person who left" ;;
*) not_ok "A16 a person who left" ;;
esac
secret "A16 and with a ticket of before" "$(shows gone "$t")"
sql postgres "update authn.staff set active = true where handle = 'gone'"
shown "A16 control: while they are staff" "$(shows gone "$t")"
session_end gone
t2=$(ticket alex "$one")
case $(asks gone "$one") in
expired | no_session) ok "A16 a session that ran out" ;;
*) not_ok "A16 a session that ran out" ;;
esac
secret "A16 which shows no more" "$(shows gone "$t")"
shown "A16 control: one that did not" "$(shows alex "$t2")"
code_ago alex '9 hours'
same "A16 a code of nine hours ago" step_up "$(asks alex "$one")"
secret "A16 also for a ticket" "$(shows alex "$t2")"
code_ago alex '7 hours'
same "A16 control: of seven" ok "$(asks alex "$one")"
same "D01 break-glass with that code" step_up \
	"$(console "select code from api.break_glass($(token alex), $one, $why)")"
code_ago alex '0 hours'

# ---- A17: not on shift
same "A17 off shift" not_on_shift "$(asks sam "$one")"
same "A17 a manager who is not on call" not_oncall "$(asks mo "$one")"
rota first alex bot sam
same "A17 control: on shift" ok "$(asks sam "$one")"
rota first alex bot
sql postgres "update change.setting set value = 'on' where name = 'two_persons_rota'"
rota self-made sam kit
same "A17 an unapproved, self-made shift" not_on_shift "$(asks sam "$one")"
same "A17 control: the rota of before is in force" ok "$(asks alex "$one")"
approve() { # ROTA PROPOSER APPROVER: says what came of it
	local id
	id=$(console "select id from change.propose($(token "$2"), 'rota',
		$(hash "$1"), '{}', '', 'a rota for the holidays')")
	console "select change.approve($(token "$3"), ${id:-null})"
}
same "A17 approved by who proposed it" own_proposal "$(approve self-made kit kit)"
same "A17 is none" not_on_shift "$(asks sam "$one")"
same "A17 approved by who gains by it" ok "$(approve self-made sam kit)"
same "A17 gives that one nothing" not_on_shift "$(asks kit "$one")"
same "A17 control: and the other their shift" ok "$(asks sam "$one")"
same "A17 a second approval, by one not in it" ok "$(approve self-made sam mo)"
same "A17 control: gives all theirs" ok "$(asks kit "$one")"
rota self-made sam kit alex
same "A17 an approved rota takes in nobody" not_on_shift "$(asks alex "$one")"
sql postgres "update change.setting set value = 'off' where name = 'two_persons_rota'"
rota first alex bot
same "A17 control: a new one, while one person is enough" ok "$(asks alex "$one")"
same "A17 whom it left out" not_on_shift "$(asks sam "$one")"

# ---- assigned
same "D02 to oneself" own "$(console "select api.assign($(token kit), $two, 'kit')")"
same "D02 by no manager" not_role "$(console "select api.assign($(token sam), $two, 'sam')")"
same "D02 to no on-call person" unknown_person "$(console "select api.assign($(token mo), $two, 'dee')")"
same "D02 to a service" unknown_person "$(console "select api.assign($(token mo), $two, 'bot')")"
same "D02 control: by a manager, to another" ok "$(console "select api.assign($(token mo), $two, 'sam')")"
same "D02 control: who then may look" ok "$(asks sam "$two")"
same "D02 into that incident alone" not_on_shift "$(asks sam "$one")"

# ---- A18: closed
incident 3 third
three=$last
same "A18 control: open" ok "$(asks alex "$three")"
t=$(ticket alex "$three")
facts "jsonb_build_object('kind', 'acked', 'at', now(), 'ref', 3, 'person', 'sam'),
	jsonb_build_object('kind', 'resolved', 'at', now(), 'ref', 3, 'verdict', 'fraud')"
same "A18 closed, in another's hands" closed "$(asks alex "$three")"
secret "A18 a ticket of before" "$(shows alex "$t")"
rota first alex bot sam
same "A18 control: in one's own, for a day" ok "$(asks sam "$three")"
facts "jsonb_build_object('kind', 'resolved', 'at', now() - interval '25 hours', 'ref', 3, 'verdict', 'fraud')"
same "A18 and no longer" closed "$(asks sam "$three")"
same "A18 break-glass into a closed one" closed \
	"$(console "select code from api.break_glass($(token sam), $three, $why)")"
rota first alex bot

# ---- A19, A20, A21: purpose and reason
same "A19 a purpose of one's own" bad_purpose "$(asks alex "$one" "" "'curious'")"
same "A19 nine characters" bad_reason "$(asks alex "$one" "" "" "'123456789'")"
same "A19 and blanks" bad_reason "$(asks alex "$one" "" "" "'123456789           '")"
same "A19 501" bad_reason "$(asks alex "$one" "" "" "repeat('x', 501)")"
same "A19 control: ten" ok "$(asks alex "$one" "" "" "'1234567890'")"
same "A19 control: 500" ok "$(asks alex "$one" "" "" "repeat('x', 500)")"
same "A19 a field of one's own" bad_fields "$(asks alex "$one" "array['password']")"
same "A19 one among good ones" bad_fields "$(asks alex "$one" "array['callee', 'note']")"
same "A19 two dimensions" bad_fields "$(asks alex "$one" "array[['callee'], ['account']]")"
same "A19 no field" bad_fields "$(asks alex "$one" "'{}'::text[]")"
same "A19 maintenance without agreement" no_agreement "$(asks alex "$one" "" "'maintenance'")"
agree() { console "select agreement from api.agreement_add($(token "$1"), 'acme', 'A. Customer',
	'look at their trunk', now() - interval '1 hour', now() + interval '1 day')"; }
a=$(agree mo)
same "A19 with one that nobody approved" no_agreement "$(asks alex "$one" "" "'maintenance'")"
same "A19 that its writer approves" own "$(console "select api.agreement_approve($(token mo), $a)")"
same "A19 or an on-call person" not_role "$(console "select api.agreement_approve($(token alex), $a)")"
same "A19 control: another approves" ok "$(console "select api.agreement_approve($(token dee), $a)")"
same "A19 control: maintenance as agreed" ok "$(asks alex "$one" "" "'maintenance'")"
same "A19 of another customer" no_agreement "$(asks alex "$two" "" "'maintenance'")"
sql postgres "update access.agreement set until = now() - interval '1 second'"
same "A19 when it ran out" no_agreement "$(asks alex "$one" "" "'maintenance'")"
evil="'); drop table access.ticket; select ('"
same "A20 SQL in the reason" ok "$(asks alex "$one" "" "" "\$\$$evil\$\$")"
same "A20 is text" "$evil" "$(sql postgres "select w.words from audit.words w order by w.event desc limit 1")"
check "A20 control: the table is there" sql postgres "select from access.ticket limit 0"
for c in 0a 0d 1b 07 7f 85; do
	same "A21 U+00$c in the reason" bad_reason "$(asks alex "$one" "" "" "U&'the customer\\00$c is on the phone'")"
done
for c in 202e 200b 2028 2066 feff; do
	same "A21 U+$c in the reason" bad_reason "$(asks alex "$one" "" "" "U&'the customer\\$c is on the phone'")"
done
same "A21 control: an accent, a pound" ok "$(asks alex "$one" "" "" "'the caf\u00e9 asks: £30 — why?'")"
same "A21 refusals are one line in the log" 0 "$(sql postgres "select count(*) from audit.words where words ~ '[\x01-\x1f]'")"

# ---- A22: look, then leave no trace
# Each with what was written on disk, so that it is not that which refuses.
link c1 tollwatch_console
link c2 tollwatch_console
before=$(sql postgres "select count(*) from audit.event where action = 'disclose_request' and code = 'ok'")
flush() { sql postgres "select pg_logical_emit_message(true, 'x', 'x')" >/dev/null; }
log_in alex alex-too # as an open transaction holds the row of its session
looks() { # LINK TICKET [SESSION]
	flush
	ask "$1" "select code, value from api.disclose($(token "${3:-alex}"), $2);"
}
ask c1 "begin;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
same "A22 begin; request; look; rollback" "not_committed|" "$(looks c1 "$t")"
same "A22 from elsewhere meanwhile" "unknown_ticket|" "$(looks c2 "$t" alex-too)"
ask c1 "rollback;" >/dev/null
same "A22 and after it" "unknown_ticket|" "$(looks c2 "$t")"
secret "A22 in the same statement" "$(ask c1 "select d.* from $(req alex "$one") r,
	lateral api.disclose($(token alex), r.ticket) d;")"
ask c1 "begin; savepoint a;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
same "A22 in a savepoint" "not_committed|" "$(looks c1 "$t")"
ask c1 "release savepoint a;" >/dev/null
same "A22 in one released" "not_committed|" "$(looks c1 "$t")"
ask c1 "savepoint b;" >/dev/null
same "A22 from the next" "not_committed|" "$(looks c1 "$t")"
ask c1 "rollback;" >/dev/null
ask c1 "begin isolation level repeatable read;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
same "A22 with a snapshot" "not_committed|" "$(looks c1 "$t")"
ask c1 "rollback;" >/dev/null
ask c1 "begin; set constraints all immediate;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
same "A22 sealed early" "not_committed|" "$(looks c1 "$t")"
ask c1 "rollback;" >/dev/null
ask c1 "begin;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
case $(ask c1 "prepare transaction 'x';") in
*ERROR*) ok "A22 prepare transaction is refused" ;;
*) not_ok "A22 prepare transaction is refused" ;;
esac
same "A22 and left nothing" "unknown_ticket|" "$(looks c1 "$t")"
same "A22 the log has but the one that committed, of which nothing was shown" 1 \
	$(($(sql postgres "select count(*) from audit.event where action = 'disclose_request' and code = 'ok'") - before))
t=$(ask c1 "select ticket from $(req alex "$one");")
shown "A22 control: committed, then shown" "$(ask c1 "select * from api.disclose($(token alex), $t);")"
ask c1 "begin;" >/dev/null
shown "A22 control: shown in a transaction" "$(ask c1 "select * from api.disclose($(token alex), $t);")"
ask c1 "rollback;" >/dev/null
same "A22 control: whose rollback leaves the request in the log" 1 \
	"$(sql postgres "select count(*) from audit.event e join audit.link l on l.event = e.id where e.ticket = $t and e.action = 'disclose_request'")"

# ---- A23: another's ticket, an old one
t=$(ticket alex "$one")
rota first alex bot sam
same "A23 another's ticket" "not_yours|" "$(shows sam "$t")"
same "A23 one that there is not" "unknown_ticket|" "$(shows alex 999999)"
shown "A23 control: one's own" "$(shows alex "$t")"
sql postgres "update access.ticket set expires_at = now() where id = $t"
same "A23 an old one" "expired_ticket|" "$(shows alex "$t")"
rota first alex bot
t=$(ticket alex "$one")
rota first bot
same "A23 when the shift is over" "not_on_shift|" "$(shows alex "$t")"
rota first alex bot
shown "A23 control: on shift again" "$(shows alex "$t")"

# ---- A24: decide without having looked
verdict() { console "select api.verdict($(token "$1"), $2, 'fraud', $why)"; }
act() { console "select code from api.act($(token "$1"), $2, 'bar-international', $why)"; }
incident 4 fourth
four=$last
same "A24 verdict, nothing seen" evidence_not_viewed "$(verdict alex "$four")"
same "A24 action, nothing seen" evidence_not_viewed "$(act alex "$four")"
t=$(ticket alex "$four" "array['account_name']")
shows alex "$t" >/dev/null
same "A24 the name alone is no evidence" evidence_not_viewed "$(act alex "$four")"
t=$(ticket alex "$four")
same "A24 asked for and not looked at" evidence_not_viewed "$(act alex "$four")"
ask c1 "begin;" >/dev/null
shown "A24 control: looked at" "$(ask c1 "select value from api.disclose($(token alex), $t);")"
same "A24 looked at in the same transaction" evidence_not_viewed \
	"$(ask c1 "select code from api.act($(token alex), $four, 'bar-international', $why);")"
ask c1 "rollback;" >/dev/null
same "A24 looked at and rolled back" evidence_not_viewed "$(act alex "$four")"
same "A24 in the same statement" evidence_not_viewed "$(console "select a.code from
	(select count(value) as n from api.disclose($(token alex), $t)) d,
	lateral api.act($(token alex), $four, 'bar-international', $why || d.n) a")"
same "A24 a service decides" inactive "$(verdict bot "$four")"
same "A24 a service acts" inactive "$(act bot "$four")"
same "A24 a service takes it in hand" inactive "$(console "select api.acknowledge($(token bot), $four)")"
same "A24 no reason" bad_reason "$(console "select code from api.act($(token alex), $four, 'bar-international', '')")"
same "A24 an action nobody configured" bad_action "$(console "select code from api.act($(token alex), $four, 'cut-all-lines', $why)")"
code_ago alex '16 minutes'
same "A24 with a code of 16 minutes ago" step_up "$(act alex "$four")"
code_ago alex '0 minutes'
same "A24 no action came of any" 0 "$(sql postgres "select count(*) from access.action")"
same "A24 nor notice of one" 0 "$(sql postgres "select count(*) from access.notice where kind = 'action'")"
same "A24 control: the person who looked acts" ok "$(act alex "$four")"
same "A24 control: on the record" "act|ok|alex|shift" "$(sql postgres "select e.action, e.code, e.actor,
	split_part(e.authority, ' ', 1) from access.action a join audit.event e on e.id = a.event")"
same "A24 twice" active_before "$(act alex "$four")"
same "A24 control: verdict" ok "$(verdict alex "$four")"
soon "A24 control: the alerter is given both" "action decision" \
	"select string_agg(kind, ' ' order by id) from alerter.notices(0) where ref = 4"
id=$(sql postgres "select id from access.action")
same "A24 undone by who is not on call" not_oncall "$(console "select api.undo($(token mo), $id, $why)")"
same "A24 control: by anybody on call" ok "$(console "select api.undo($(token sam), $id, $why)")"
same "A24 and once" ended_before "$(console "select api.undo($(token sam), $id, $why)")"
same "A24 control: it may be taken anew" ok "$(act alex "$four")"
sql postgres "update access.action set at = at - interval '2 hours', until = now() - interval '1 second' where ended_at is null"
soon "A24 control: its end comes by itself, once" 2 \
	"select count(*) from alerter.notices(0) where kind = 'undo'"
same "D03 the auditor's list of quick decisions has them" 3 "$(console \
	"select count(*) from api.quick_decisions($(token dee), now() - interval '1 day', now() + interval '1 day') where code = 'ok'")"
same "D03 but not for the on-call" not_role "$(console \
	"select code from api.quick_decisions($(token alex), now() - interval '1 day', now())")"
same "D04 no function but one writes an action" "access.begin_action" "$(sql postgres "select string_agg(
	p.pronamespace::regnamespace || '.' || p.proname, ',') from pg_proc p
	where p.prosrc ~* 'insert\s+into\s+access\.action\M'")"
same "D04 and none but api.act calls that" "api.act" "$(sql postgres "select string_agg(
	p.pronamespace::regnamespace || '.' || p.proname, ',') from pg_proc p
	where p.prosrc ~ 'begin_action'")"
same "D04 nor tells the alerter of one" "access.begin_action" "$(sql postgres "select string_agg(
	p.pronamespace::regnamespace || '.' || p.proname, ',') from pg_proc p
	where p.prosrc ~ 'tell\(''action''' or (p.prosrc ~* 'insert\s+into\s+access\.notice\M' and p.proname <> 'tell')")"

# ---- D05: break-glass
glass() { console "select code from api.break_glass($(token "$1"), $2, $why)"; }
same "D05 by who may not be on call" not_oncall "$(glass mo "$one")"
same "D05 by a service" inactive "$(glass bot "$one")"
same "D05 without a reason" bad_reason "$(console "select code from api.break_glass($(token sam), $one, 'x')")"
same "D05 before it" not_on_shift "$(asks sam "$one")"
same "D05 control: sam" ok "$(glass sam "$one")"
same "D05 control: may look now" ok "$(asks sam "$one")"
same "D05 into this incident alone" not_on_shift "$(asks sam "$four")"
soon "D05 others are told at once" 1 \
	"select count(*) from alerter.notices(0) where kind = 'break_glass' and person = 'sam'"
same "D05 longer" ok "$(glass sam "$one")"
same "D05 and once only" extended_before "$(glass sam "$one")"
g=$(sql postgres "select id from access.\"grant\" where kind = 'break-glass'")
same "D05 two hours at most" t "$(sql postgres "select until <= \"from\" + interval '2 hours' from access.\"grant\" where id = $g")"
sql postgres "update access.\"grant\" set \"from\" = \"from\" - interval '3 hours', until = until - interval '3 hours' where id = $g"
same "D05 when it is over" not_on_shift "$(asks sam "$one")"
same "D05 again, with no review of the last" review_first "$(glass sam "$one")"
review() { console "select api.review($(token "$1"), $g, 'justified', $why)"; }
same "D05 reviewed by an on-call person" not_role "$(review alex)"
sql postgres "insert into authn.role (staff, role, granted_by) select id, 'manager', 'test' from authn.staff where handle = 'sam'"
same "D05 reviewed by who took it" own "$(review sam)"
sql postgres "update access.\"grant\" set review_due = now() - interval '1 minute' where id = $g"
for _ in 1 2 3; do sql tollwatch_alerter "select from alerter.notices(0)" >/dev/null; done
soon "D05 overdue: told once a day" 1 \
	"select count(*) from alerter.notices(0) where kind = 'review_overdue'"
same "D05 control: seen as overdue" "sam|t" "$(console "select handle, overdue from api.reviews_due($(token mo))")"
same "D05 control: reviewed by another" ok "$(review mo)"
same "D05 once" 'done' "$(review mia)"
same "D05 control: and may be taken again" ok "$(glass sam "$one")"

# ---- feeds and ourselves, confidential numbers
incident 5 '' feed feed:sbc-1
five=$last
same "D06 numbers of a feed's incident" bad_fields "$(asks alex "$five")"
same "D06 its account" bad_fields "$(asks alex "$five" "array['trunk', 'account']")"
t=$(ticket alex "$five" "array['source', 'trunk']")
same "D06 control: source and trunk" "ok|sbc-1
ok|t-5" "$(shows alex "$t")"
same "D06 an action, on no customer" no_account "$(act alex "$five")"
incident 6 acme toll platform
same "D06 of the platform's" bad_fields "$(asks alex "$last")"
t=$(ticket alex "$one")
case $(shows alex "$t") in
*441632960123*) ok "D07 control: a number of the evidence" ;;
*) not_ok "D07 control: a number of the evidence" ;;
esac
sql tollwatch_alerter "select alerter.confidential('[{\"first\": \"+441632960120\", \"last\": \"+441632960129\"}]')"
got=$(shows alex "$t")
case $got in
*44163*) not_ok "D07 a confidential number is masked: $got" ;;
*'ok|+441*********'*) ok "D07 a confidential number is masked" ;;
*) not_ok "D07 a confidential number is masked: $got" ;;
esac
shown "D07 control: the other is not" "$got"
sql tollwatch_alerter "select alerter.confidential('[{\"first\": \"+252\"}]')"
secret "D07 a prefix" "$(shows alex "$t")"
sql tollwatch_alerter "select alerter.confidential('[]')"

incident 9 ninth access
t=$(ticket alex "$last")
shows alex "$t" >/dev/null
same "A24 an action of another family of rules" bad_action "$(act alex "$last")"

# ---- A26: who sits idle in a transaction
link aud tollwatch_auditor
ask aud "begin;" >/dev/null
ask aud "select code from api.quick_decisions($(token dee), now(), now());" >/dev/null
ask c1 "begin;" >/dev/null
ask c1 "select code from $(req alex "$one");" >/dev/null
quick() { # NAME COMMAND...: in less than a second
	local name=$1 from
	shift
	from=$(date +%s%3N)
	"$@" >"$dir/quick" 2>&1 || { not_ok "$name: $(cat "$dir/quick")"; return; }
	from=$(($(date +%s%3N) - from))
	if [ $from -lt 1000 ]; then ok "$name"; else not_ok "$name: $from ms"; fi
}
quick "A26 auditor and console idle: the alerter goes on" rota idle alex bot
quick "A26 and takes facts" incident 7 seventh
quick "A26 and another of the console's" shows sam 1
quick "A26 and another auditor's" sql tollwatch_auditor \
	"select code from api.quick_decisions($(token mia), now(), now())"
ask c1 "set constraints all immediate;" >/dev/null
ask aud "set constraints all immediate;" >/dev/null
quick "A26 sealing early and idle: the alerter goes on" rota first alex bot
quick "A26 and takes facts still" incident 8 eighth
tell c2 "select 'waited ' || code from $(req sam "$one");"
ask c1 "rollback;" >/dev/null
ask aud "rollback;" >/dev/null
case $(ask c2 "") in
*waited*) ok "A26 control: the console's own stream waits for it, no longer" ;;
*) not_ok "A26 control: the console's own stream waits for it, no longer" ;;
esac
same "A26 idle sessions are ended" 15s "$(sql tollwatch_console "show idle_in_transaction_session_timeout")"

# ---- A27: NOTIFY says nothing
state() { sql postgres "select count(*), max(id) from access.notice union all
	select count(*), max(id) from access.decision union all select count(*), max(id) from audit.event"; }
was=$(state)
for c in tollwatch notices decision access.action incident; do
	sql tollwatch_noc "notify \"$c\", '{\"kind\": \"action\", \"action\": \"bar-international\", \"account\": \"acme\"}'"
done
same "A27 a spoofed NOTIFY changes nothing" "$was" "$(state)"
same "A27 and nobody listens" 0 "$(grep -rlwi --include='*.[ch]' --include='*.sql' \
	-e 'listen [a-z"]' alerter launch sql | xargs -r grep -lw 'LISTEN' | wc -l)"
check "A27 control: it could be sent" sql tollwatch_noc "notify tollwatch"

# ---- A29: something of another's in the way
for r in console auditor dpo alerter noc engineer checkpoint; do
	same "A29 $r can write in no schema" "" "$(sql postgres "select nspname from pg_namespace
		where has_schema_privilege('tollwatch_$r', oid, 'create')")"
	refused "A29 $r has no temporary tables" "tollwatch_$r" \
		"begin read write; create temp table event (x int)"
done
t=$(ticket alex "$one")
shown "A29 control: a search_path of one's own changes nothing" \
	"$(console "set search_path = api, access, pg_temp; select value from api.disclose($(token alex), $t)")"

# ---- nothing at all, in every argument
n=0
while read -r call; do
	got=$(console "select * from $call")
	case $got in
	ok | ok\|* | *"$canary"*) not_ok "D08 $call: $got" ;;
	*ERROR*) not_ok "D08 $call: $got" ;;
	*) n=$((n + 1)) ;;
	esac
done <<END
api.disclose_request(null, $one, array['callee'], 'triage', $why)
api.disclose_request($(token alex), null, array['callee'], 'triage', $why)
api.disclose_request($(token alex), $one, null, 'triage', $why)
api.disclose_request($(token alex), $one, array[null], 'triage', $why)
api.disclose_request($(token alex), $one, array['callee', null], 'triage', $why)
api.disclose_request($(token alex), $one, array['callee'], null, $why)
api.disclose_request($(token alex), $one, array['callee'], 'triage', null)
api.disclose_request(null, null, null, null, null)
api.disclose(null, $t)
api.disclose($(token alex), null)
api.disclose(null, null)
api.break_glass(null, $one, $why)
api.break_glass($(token sam), null, $why)
api.break_glass($(token sam), $two, null)
api.review(null, $g, 'justified', $why)
api.review($(token mia), null, 'justified', $why)
api.review($(token mia), $((g + 1)), null, $why)
api.review($(token mia), $((g + 1)), 'justified', null)
api.reviews_due(null)
api.incident_id(null, 1)
api.incident_id($(token alex), null)
api.incidents(null)
api.acknowledge(null, $one)
api.acknowledge($(token alex), null)
api.assign(null, $one, 'alex')
api.assign($(token mo), null, 'alex')
api.assign($(token mo), $one, null)
api.verdict(null, $one, 'fraud', $why)
api.verdict($(token alex), null, 'fraud', $why)
api.verdict($(token alex), $one, null, $why)
api.verdict($(token alex), $one, 'fraud', null)
api.act(null, $one, 'bar-international', $why)
api.act($(token alex), null, 'bar-international', $why)
api.act($(token alex), $one, null, $why)
api.act($(token alex), $one, 'bar-international', null)
api.undo(null, 1, $why)
api.undo($(token alex), null, $why)
api.undo($(token alex), 1, null)
api.actions(null, $one)
api.actions($(token alex), null)
api.rotas(null)
api.quick_decisions(null, now(), now())
api.agreement_add(null, 'acme', 'A. Customer', 'to look into it', now(), now() + interval '1 day')
api.agreement_add($(token mo), null, 'A. Customer', 'to look into it', now(), now() + interval '1 day')
api.agreement_add($(token mo), 'acme', null, 'to look into it', now(), now() + interval '1 day')
api.agreement_add($(token mo), 'acme', 'A. Customer', null, now(), now() + interval '1 day')
api.agreement_add($(token mo), 'acme', 'A. Customer', 'to look into it', null, now() + interval '1 day')
api.agreement_add($(token mo), 'acme', 'A. Customer', 'to look into it', now(), null)
api.agreement_approve(null, 1)
api.agreement_approve($(token dee), null)
END
same "D08 NULL in every argument is refused, without an error" 50 "$n"

# ---- D09: how many in an hour
sql postgres "update access.setting set value = '4' where name = 'subjects_an_hour_alarm';
	update access.setting set value = '6' where name = 'subjects_an_hour_refused'"
person max human oncall
rota first alex bot max
told() { sql postgres "select count(*) from access.notice where kind = 'mass_disclosure' and person = 'max'"; }
for n in 11 12 13 14 15 16; do
	incident $n "mass$n"
	same "D09 control: subject $((n - 10))" ok "$(asks max "$last")"
	[ $n -ne 13 ] || same "D09 three: nobody is told" 0 "$(told)"
	[ $n -ne 14 ] || same "D09 four: alarm" 1 "$(told)"
done
same "D09 the same again is no other" ok "$(asks max "$last")"
incident 17 mass17
same "D09 one too many" rate_limit "$(asks max "$last")"
same "D09 one alarm an hour" 1 "$(told)"
same "D09 control: another person" ok "$(asks alex "$last")"
sql postgres "update access.look set last_at = last_at - interval '61 minutes'
	where staff = (select id from authn.staff where handle = 'max')"
same "D09 control: an hour later" ok "$(asks max "$last")"

# ---- D10: committed and not on disk yet
# What would flush it by itself is stopped, so that only waiting is left.
writers=$(sql postgres "select string_agg(pid::text, ' ') from pg_stat_activity
	where backend_type in ('walwriter', 'background writer', 'checkpointer', 'autovacuum launcher')")
rota first alex bot
t=$(ticket alex "$one")
shown "D10 control: a commit that waited is shown" "$(shows alex "$t")"
ask c1 "set statement_timeout = '10s';" >/dev/null
kill -STOP $writers
ask c1 "begin; set constraints all immediate; set local synchronous_commit = off;" >/dev/null
t=$(ask c1 "select ticket from $(req alex "$one");")
ask c1 "commit;" >/dev/null
same "D10 visible" 1 "$(sql postgres "select count(*) from access.ticket where id = $t")"
same "D10 and not on disk: nothing is shown" "not_durable|" \
	"$(ask c1 "set synchronous_commit = off; select code, value from api.disclose($(token alex), $t);")"
ask c1 "set synchronous_commit = off; select code from api.acknowledge($(token alex), $one) code;" >/dev/null
same "D10 nor is the alerter given what is not" 0 "$(sql tollwatch_alerter \
	"select count(*) from alerter.notices(0)")"
tell c1 "select code, value from api.disclose($(token alex), $t);"
sleep 0.3
kill -CONT $writers
shown "D10 control: once it is, it is shown" "$(ask c1 "")"
soon "D10 control: and the alerter given its own" t \
	"select count(*) > 0 from alerter.notices(0)"

# ---- A22 where a transaction can be prepared, which check-config refuses
exec {in_c1}>&- {in_c2}>&- {in_aud}>&-
sql postgres "alter system set max_prepared_transactions = 2"
kill -INT "$pg_pid"
wait "$pg_pid" 2>/dev/null
pg_start
link c3 tollwatch_console
ask c3 "begin;" >/dev/null
t=$(ask c3 "select ticket from $(req alex "$one");")
same "A22 prepared" "" "$(ask c3 "prepare transaction 'x';")"
secret "A22 a ticket of a prepared transaction" "$(looks c3 "$t" alex-too)"
ask c3 "commit prepared 'x';" >/dev/null
shown "A22 control: once it is committed" "$(ask c3 "select * from api.disclose($(token alex), $t);")"
finish
