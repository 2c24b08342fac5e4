#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Staff log in with a password and a code, and in no other way.  The names are
# those of the attacks that each line repels; beside each stands what works.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
. tests/support/staff.sh
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
"$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" || not_ok "migrate"
con() { sql tollwatch_console "$1" 2>&1; }
root() { sql postgres "$1"; }
last() { root "select action || ' ' || code from audit.event order by id desc limit 1"; }
refused() { [[ $1 == *"permission denied"* ]]; }

# RFC 6238 appendix B, SHA-1.
same "RFC 6238: the vectors" "94287082 07081804 14050471 89005924 69279037 65353130" \
	"$(root "select string_agg(authn.totp('12345678901234567890', t / 30, 8), ' ' order by t)
	from unnest(array[59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000]::bigint[]) t")"

same "S05: nobody can log in after migrate" "0 0" "$(root \
	"select (select count(*) from authn.staff) || ' ' || (select count(*) from authn.secret)")"
for f in "authn.bootstrap('eve', 'Eve', 'contract')" "authn.who('\x00')" \
	"authn.invite(1, 'eve')" "authn.totp('x', 1)" "audit.append('a', 'b', 'c')" \
	"authn.open_session(1, 'ok', '{oncall}', null, now())"; do
	check "A15: the console may not call ${f%%(*}" refused "$(con "select $f")"
done
for t in staff role secret session enrolment proposal network; do
	check "A15: nor read authn.$t" refused "$(con "select * from authn.$t")"
	check "A15: nor write it" refused "$(con "insert into authn.$t default values")"
done
for r in authn access audit; do
	check "A03: nor become tollwatch_$r" refused "$(con "set role tollwatch_$r")"
done

# ---- the first admin, and another ----
token=$(root "select enrol_token from authn.bootstrap('ada', 'Ada Example', 'contract of 2026')")
same "bootstrap: a token" 32 ${#token}
seed=$(con "select encode(seed, 'hex') from authn.enrol_begin('$token')")
same "S04: the seed is shown once" 40 ${#seed}
same "S04: and not again" "begun_before|" "$(con "select code, seed from authn.enrol_begin('$token')")"
fin() { con "select authn.enrol_finish('$token', $1, $2)"; }
good="'correct horse battery'"
same "enrol: a short password" password_short "$(fin "'elevenchars'" "'000000'")"
same "enrol: no password" password_short "$(fin null "'000000'")"
same "enrol: more than bcrypt looks at" password_long "$(fin "repeat('x', 73)" "'000000'")"
same "enrol: one's own name in it" password_handle "$(fin "'i am ada, hello'" "'000000'")"
same "enrol: a wrong code" bad_code "$(fin "$good" "'000000'")"
same "enrol: no code" bad_code "$(fin "$good" null)"
same "enrol: done" ok "$(fin "$good" "'$(staff_code ada)'")"
same "enrol: the token is used up" bad_token "$(fin "$good" "'$(staff_code ada)'")"
same "enrol: and bootstrap knows no handle twice" handle_taken \
	"$(root "select code from authn.bootstrap('ada', 'Eve', 'contract')")"

# ---- logging in ----
login() { # HANDLE PASSWORD CODE (SQL), as who; the token in $tok, what came of it
	tok=$(con "select encode(token, 'hex') from authn.login($1, $2, $3${4:+, $4})")
	con "select authn.login_result('\x$tok')"
}
me() { con "select code from authn.me('\x$tok')"; }
staff_fresh ada
login "'ada'" "$good" "'$(staff_code ada)'" >"$dir/o"
same "log in: ok" ok "$(cat "$dir/o")"
same "and the token opens a session" ok "$(me)"
first=$tok
login "'ada'" "$good" "'$(staff_code ada)'" >"$dir/o"
same "B07: the same code again" refused "$(cat "$dir/o")"
same "B07: its token opens nothing" no_session "$(me)"
same "B07: the log knows why" "login code" "$(last)"
same "B07: an earlier code after a later one" refused "$(staff_fresh ada
	root "update authn.secret set last_step = floor(extract(epoch from now()) / 30)"
	login "'ada'" "$good" "'$(staff_code ada -1)'")"
for n in -1 1; do
	staff_fresh ada
	same "B07: a code of one step off, $n" ok "$(login "'ada'" "$good" "'$(staff_code ada $n)'")"
done
for n in -3 3; do
	staff_fresh ada
	same "B07: of three steps off, $n" refused "$(login "'ada'" "$good" "'$(staff_code ada $n)'")"
done
for c in "''" "'abcdef'" "null" "' $(staff_code ada)'" "'$(staff_code ada)0'"; do
	staff_fresh ada
	same "B07: the code $c" refused "$(login "'ada'" "$good" "$c")"
done
for p in "''" null "'correct horse batterx'" "repeat('x', 100)" "'correct horse battery' || repeat(' ', 80)"; do
	staff_fresh ada
	same "a wrong password: $p" refused "$(login "'ada'" "$p" "'$(staff_code ada)'")"
done
for h in null "''" "'eve'" "'Ada'" "'ada'' or true'"; do
	same "B08: no such handle: $h" refused "$(login "$h" "$good" "'000000'")"
done
staff_fresh ada
ms() { local t; t=$(date +%s%3N); "$@" >"$dir/o"; echo $(($(date +%s%3N) - t)); }
wrong=$(ms login "'ada'" "'correct horse batterx'" "'000000'")
nobody=$(ms login "'eve'" "'correct horse batterx'" "'000000'")
check "B08: takes its time all the same ($nobody of $wrong ms)" [ $((nobody * 2)) -gt "$wrong" ]

# Guessing under a transaction that is rolled back.
staff_fresh ada
cat >"$dir/guess.sql" <<SQL
begin;
select encode(token, 'hex') as t from authn.login('ada', $good, '$(staff_code ada)') \gset
select 'result ' || authn.login_result(decode(:'t', 'hex'));
select 'session ' || (select code from authn.me(decode(:'t', 'hex')));
rollback;
select 'after ' || authn.login_result(decode(:'t', 'hex'));
select 'session ' || (select code from authn.me(decode(:'t', 'hex')));
SQL
same "A22: a guess that is taken back tells nothing" \
	"result not_committed session no_session after not_committed session no_session" \
	"$("$pg_bin/psql" -X -q -A -t -h "$pg_sock" -U tollwatch_console -d tollwatch \
		-f "$dir/guess.sql" 2>&1 | tr '\n' ' ' | sed 's/ $//')"

# Five failures lock; the right code does not help; time does.
staff_fresh ada
for _ in 1 2 3 4 5; do login "'ada'" "'wrong wrong wrong'" "'000000'" >"$dir/o"; done
same "B07: locked after five" refused "$(login "'ada'" "$good" "'$(staff_code ada)'")"
same "B07: the log says so" "login locked" "$(last)"
same "B07: for 15 minutes" t "$(root "select locked_until - clock_timestamp()
	between '14 min' and '15 min' from authn.secret")"
root "update authn.secret set locked_until = clock_timestamp()"
same "B07: and no longer" ok "$(login "'ada'" "$good" "'$(staff_code ada)'")"
# Guesses at the same time are counted one by one.
staff_fresh ada
total=$(root "select fails_total from authn.secret")
guesses=""
for _ in 1 2 3 4; do
	con "select 1 from authn.login('ada', 'wrong wrong wrong', '000000')" >/dev/null &
	guesses="$guesses $!"
done
wait $guesses
same "B07: four at once count four" $((total + 4)) "$(root "select fails_total from authn.secret")"
staff_fresh ada
root "update authn.secret set fails_total = 100"
same "B07: a hundred in all" refused "$(login "'ada'" "$good" "'$(staff_code ada)'")"
same "B07: disabled until reset" "login disabled" "$(last)"
root "update authn.secret set fails_total = 0"

# ---- sessions ----
tok=$first
same "A16: the session still stands" ok "$(me)"
root "update authn.session set seen_at = now() - interval '31 min' where token_hash = sha256('\x$tok')"
same "A16: idle" expired "$(me)"
root "update authn.session set seen_at = now(), expires_at = now() where token_hash = sha256('\x$tok')"
same "A16: over" expired "$(me)"
root "update authn.session set expires_at = now() + interval '1 h' where token_hash = sha256('\x$tok')"
same "A16: again" ok "$(me)"
for t in null "'\x'" "'\x00'" "decode('$tok' || '00', 'hex')"; do
	same "A16: the token $t" no_session "$(con "select code from authn.me($t)")"
done
root "update authn.staff set authority_until = now()"
same "A16: authority over" inactive "$(me)"
root "update authn.staff set authority_until = null, active = false, ended_at = now()"
same "A16: has left" inactive "$(me)"
root "update authn.staff set active = true, ended_at = null"
staff_fresh ada
up=$(con "select encode(token, 'hex') from authn.step_up('\x$tok', $good, '$(staff_code ada)')")
same "step up: ok" ok "$(con "select authn.login_result('\x$up')")"
same "B01: the old token is dead" no_session "$(me)"
tok=$up
same "B01: the new one lives" ok "$(me)"
staff_fresh ada
bad=$(con "select encode(token, 'hex') from authn.step_up('\x$tok', 'wrong wrong wrong', '$(staff_code ada)')")
same "step up: a wrong password" refused "$(con "select authn.login_result('\x$bad')")"
same "step up: the session stays" ok "$(me)"
same "log out" ok "$(con "select authn.logout('\x$tok')")"
same "A16: revoked" no_session "$(me)"

# ---- networks ----
root "insert into authn.network values ('admin', '192.0.2.0/24')"
net() { staff_fresh ada; login "'ada'" "$good" "'$(staff_code ada)'" "$1"; }
same "network: from the VPN" ok "$(net "'192.0.2.7'")"
same "network: from elsewhere" no_role_here "$(net "'198.51.100.7'")"
same "network: from nowhere known" no_role_here "$(net null)"
root "delete from authn.network"

# ---- what staff do with staff ----
staff_add bob manager
staff_add cyd oncall
as() { staff_login "$1"; }
ada=$(staff_login ada "correct horse battery") bob=$(as bob) cyd=$(as cyd)
same "staff add: not by others" not_role "$(con \
	"select code from authn.staff_add('\x$cyd', 'eve', 'Eve', 'contract', null, 'because of a reason')")"
new=$(con "select code || ' ' || length(enrol_token) from authn.staff_add('\x$ada', 'eve', 'Eve', 'contract', null, 'because of a reason')")
same "staff add: by an admin" "ok 32" "$new"
why="'to see whether it works'"
same "role: to oneself" self "$(con "select code from authn.role_propose('\x$ada', 'ada', 'oncall', null, true, $why)")"
same "role: not by others" not_role "$(con "select code from authn.role_propose('\x$bob', 'cyd', 'admin', null, true, $why)")"
same "role: no such" bad_role "$(con "select code from authn.role_propose('\x$ada', 'cyd', 'god', null, true, $why)")"
same "role: given" ok "$(con "select code from authn.role_propose('\x$ada', 'cyd', 'engineer', null, true, $why)")"
same "role: taken" ok "$(con "select code from authn.role_propose('\x$ada', 'cyd', 'engineer', null, false, $why)")"
root "update change.setting set value = 'on' where name = 'two_persons_roles'"
p=$(con "select id from authn.role_propose('\x$ada', 'cyd', 'engineer', null, true, $why)")
same "two persons: not yet" "{oncall}" "$(root "select authn.roles_of(id) from authn.staff where handle = 'cyd'")"
same "two persons: not the proposer" own_proposal "$(con "select authn.role_approve('\x$ada', $p)")"
same "two persons: not who gains" "not_role" "$(con "select authn.role_approve('\x$cyd', $p)")"
same "two persons: another" ok "$(con "select authn.role_approve('\x$bob', $p)")"
same "two persons: once" approved_before "$(con "select authn.role_approve('\x$bob', $p)")"
same "two persons: now" "{engineer,oncall}" "$(root "select authn.roles_of(id) from authn.staff where handle = 'cyd'")"
p=$(con "select id from authn.reset_propose('\x$ada', 'cyd', $why)")
same "reset: not the proposer" own_proposal "$(con "select code from authn.reset_approve('\x$ada', $p)")"
pb=$(con "select id from authn.reset_propose('\x$ada', 'bob', $why)")
same "reset: not the person" self "$(con "select code from authn.reset_approve('\x$bob', $pb)")"
same "reset: by another" "ok 32" "$(con "select code || ' ' || length(enrol_token) from authn.reset_approve('\x$bob', $p)")"
tok=$cyd
same "reset: the sessions are over" no_session "$(me)"
same "reset: the old password too" refused "$(login "'cyd'" "'$staff_password'" "'000000'")"
same "the end of somebody" ok "$(con "select authn.staff_end('\x$ada', 'cyd', 'has left us today')")"
same "not of oneself" self "$(con "select authn.staff_end('\x$ada', 'ada', 'has left us today')")"
for f in "authn.staff_add(null, null, null, null, null, null)" "authn.enrol_begin(null)" \
	"authn.reset_propose(null, null, null)" "authn.reset_approve(null, null)" \
	"authn.role_propose(null, null, null, null, null, null)" \
	"authn.network_propose(null, null, null, null, null)" "authn.roles(null)" "authn.proposals(null)" \
	"authn.step_up(null, null, null)"; do
	check "nothing of nothing: ${f%%(*}" grep -qE 'no_session|bad_token|pending' <<<"$(con "select code from $f")"
done
check "the log holds no secret" [ "$(root "select count(*) from audit.event e left join audit.words w on w.event = e.id
	where to_jsonb(e)::text || coalesce(w.words, '') ~ 'horse|wrong wrong|$first|$token'")" = 0 ]
same "and every link of it holds" t "$(root "select bool_and(l.row_hash = sha256(audit.encode(l.prev_hash, l.seq, e)))
	from audit.link l join audit.event e on e.id = l.event")"
finish
