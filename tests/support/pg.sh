# SPDX-License-Identifier: Apache-2.0
# After lib.sh, for tests that want a PostgreSQL of their own: pg_new makes and
# starts one that ends with the test; $dsn is its superuser's.
pg_bin=$(for b in /usr/lib/postgresql/*/bin; do echo "$b"; done | sort -V | tail -1)
pg_dir=$dir/pg
pg_sock=$dir/s

# Before a command: as an account that PostgreSQL will run as.  Words and not a
# function, so that $! is the postmaster and not a shell around it.
pg_as=()
[ "$(id -u)" != 0 ] ||
	pg_as=(setpriv --reuid postgres --regid postgres --init-groups --)

pg_start() { # and wait until it answers
	"${pg_as[@]}" "$pg_bin/postgres" -D "$pg_dir" -k "$pg_sock" -c listen_addresses= \
		-c max_connections=30 -c shared_buffers=16MB \
		>>"$dir/pg.log" 2>&1 </dev/null &
	pg_pid=$!
	pids="$pids $pg_pid"
	wait_for 30 pg_answers
}
pg_answers() {
	"$pg_bin/pg_isready" -q -h "$pg_sock" && return 0
	# one that was killed leaves children that end a moment later
	kill -0 "$pg_pid" 2>/dev/null || {
		"${pg_as[@]}" "$pg_bin/postgres" -D "$pg_dir" -k "$pg_sock" \
			-c listen_addresses= -c shared_buffers=16MB \
			>>"$dir/pg.log" 2>&1 </dev/null &
		pg_pid=$!
		pids="$pids $pg_pid"
	}
	return 1
}
pg_kill() { # -9, the postmaster alone
	local p
	p=$(head -1 "$pg_dir/postmaster.pid")
	kill -9 "$p"
	wait "$pg_pid" 2>/dev/null
}
pg_new() {
	if [ ! -x "$pg_bin/postgres" ]; then
		echo "skip $(basename "$0" .sh): no PostgreSQL"
		exit 0
	fi
	mkdir -m 777 "$pg_dir" "$pg_sock" && chmod 777 "$pg_dir" "$pg_sock"
	"${pg_as[@]}" "$pg_bin/initdb" -D "$pg_dir/data" -U postgres -E UTF8 --locale=C \
		-A trust --no-instructions >"$dir/initdb.log" 2>&1 || return 1
	pg_dir=$pg_dir/data
	pg_start || return 1
	sql postgres "create database tollwatch" || return 1
	dsn="host=$pg_sock user=postgres dbname=tollwatch"
}
sql() { # ROLE or "postgres" for the maintenance database, TEXT
	local db=tollwatch
	[ "$1" = postgres ] && case $2 in "create database"*) db=postgres ;; esac
	"$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_sock" -U "$1" \
		-d "$db" -c "$2"
}
