# SPDX-License-Identifier: Apache-2.0
# After pg.sh, for tests of audited access: people with sessions, as log-in
# would have made them, and connections that stay open.

# token NAME: what NAME's session goes by, as SQL.
token() { echo "sha256('$1')"; }

# person NAME KIND ROLE...: on the staff, and logged in with a code just now.
person() {
	local name=$1 kind=$2 role
	shift 2
	sql postgres "insert into authn.staff (handle, name, kind, authority, made_by)
		values ('$name', '$name', '$kind', 'test', 'test')" || return
	for role in "$@"; do
		sql postgres "insert into authn.role (staff, role, granted_by)
			select id, '$role', 'test' from authn.staff where handle = '$name'"
	done
	log_in "$name"
}
log_in() { # NAME [SESSION]: another session's name
	sql postgres "insert into authn.session (token_hash, staff, code, roles, expires_at)
		select sha256($(token "${2:-$1}")), id, 'ok',
			(select array_agg(role) from authn.role_name), now() + interval '12 hours'
		from authn.staff where handle = '$1'"
}

# link NAME ROLE: a psql that stays connected; ask NAME SQL prints its answer.
link() {
	mkfifo "$dir/$1.in" "$dir/$1.out"
	"$pg_bin/psql" -X -q -A -t -h "$pg_sock" -U "$2" -d tollwatch \
		-v VERBOSITY=sqlstate <"$dir/$1.in" >"$dir/$1.out" 2>&1 &
	pids="$pids $!"
	eval "exec {in_$1}>'$dir/$1.in' {out_$1}<'$dir/$1.out'"
}
ask() {
	local in out line
	in=in_$1 out=out_$1
	printf '%s\n\\echo the-end\n' "$2" >&"${!in}"
	while read -r -t 20 line <&"${!out}"; do
		[ "$line" != the-end ] || return 0
		echo "$line"
	done
	echo "no answer"
}
# tell NAME SQL: do not wait for an answer.
tell() {
	local in=in_$1
	printf '%s\n' "$2" >&"${!in}"
}

# As time would do it.
session_end() {
	sql postgres "update authn.session set expires_at = now() - interval '1 second'
		where staff = (select id from authn.staff where handle = '$1')"
}
code_ago() {
	sql postgres "update authn.session set code_at = now() - interval '$2'
		where staff = (select id from authn.staff where handle = '$1')"
}
# The same in pgbench, of persons p0, p1...
token_of_client() { echo "sha256(convert_to('p' || :client_id, 'UTF8'))"; }
