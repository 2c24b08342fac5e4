# SPDX-License-Identifier: Apache-2.0
# After pg.sh: staff for tests, who log in as anybody does.
staff_password='a long enough password'

staff_code() { # HANDLE [STEPS]: the code that their authenticator shows
	sql postgres "select authn.totp(coalesce(x.seed, e.seed),
		floor(extract(epoch from clock_timestamp()) / 30)::bigint + ${2:-0})
		from authn.staff s left join authn.secret x on x.staff = s.id
		left join authn.enrolment e on e.staff = s.id and e.used_at is null
		where s.handle = '$1'"
}
# A test cannot wait 30 s for the next code.
staff_fresh() {
	sql postgres "update authn.secret x set last_step = 0, fails = 0,
		locked_until = null from authn.staff s
		where s.id = x.staff and s.handle = '$1'"
}
staff_add() { # HANDLE ROLE...: enrolled, with staff_password
	local token role
	token=$(sql postgres "with s as (insert into authn.staff
		(handle, name, authority, made_by) values ('$1',
		initcap('$1') || ' Example', 'contract', 'test') returning id)
		select authn.invite(id, 'test') from s")
	[ -n "$token" ] || token=$(sql postgres "select authn.invite(id, 'test')
		from authn.staff where handle = '$1'")
	sql tollwatch_console "select 1 from authn.enrol_begin('$token')" >/dev/null
	sql tollwatch_console "select authn.enrol_finish('$token',
		'$staff_password', '$(staff_code "$1")')" | grep -qx ok || return 1
	for role in "${@:2}"; do
		sql postgres "insert into authn.role (staff, role, granted_by)
			select id, '$role', 'test' from authn.staff where handle = '$1'"
	done
}
staff_login() { # HANDLE: the token of a new session, hex
	local t
	staff_fresh "$1"
	t=$(sql tollwatch_console "select encode(token, 'hex') from authn.login(
		'$1', '${2:-$staff_password}', '$(staff_code "$1")')")
	sql tollwatch_console "select authn.login_result('\x$t')" | grep -qx ok && echo "$t"
}
