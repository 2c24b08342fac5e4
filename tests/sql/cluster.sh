#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The private PostgreSQL: as root and as an ordinary user, at the end of a long
# path, killed, left behind, stopped.
. "$(dirname "$0")/../support/lib.sh"
make -s "${BUILD:-build}/test/cluster" || exit 1
pg_bin=$(for b in /usr/lib/postgresql/*/bin; do echo "$b"; done | sort -V | tail -1)
if [ ! -x "$pg_bin/postgres" ]; then
	echo "skip cluster: no PostgreSQL"
	exit 0
fi
unset XDG_RUNTIME_DIR

start() { # STATE [fresh]: and wait until it is ready; $pid is the launcher's
	"$bin/test/cluster" "$@" >"$dir/out" 2>"$dir/err" &
	pid=$!
	pids="$pids $pid"
	wait_for 60 ready 1
}
ready() { [ "$(grep -c '^ready ' "$dir/out")" -ge "$1" ]; }
stop() {
	kill "$pid"
	wait "$pid"
}
postmaster() { head -1 "$1/pg/data/postmaster.pid"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
sql() { # STATE ROLE TEXT
	"$pg_bin/psql" -X -q -A -t -h "$(readlink "$1/pg.socket")" -U "$2" -d tollwatch -c "$3" 2>&1
}
setting() { sql "$state" postgres "show $1"; }

state=$dir/site
mkdir -m 700 "$state"
start "$state"
same "ready" 0 $?
same "UTF-8, C, checksums, durable, no prepared transactions, no TCP" \
	"UTF8 C on on 0 " "$(setting server_encoding) $(setting lc_collate) $(
	setting data_checksums) $(setting fsync) $(setting max_prepared_transactions) $(
	setting listen_addresses)"
same "not root" 0 "$([ "$(stat -c %u "/proc/$(postmaster "$state")")" != 0 ]; echo $?)"
same "the socket's folder is private" "700 $(stat -c %U "/proc/$(postmaster "$state")")" \
	"$(stat -c '%a %U' "$(readlink "$state/pg.socket")")"
same "the data are private" 700 "$(stat -c %a "$state/pg/data")"
same "the NOC sees its view" 0 "$(sql "$state" tollwatch_noc 'select unacked from noc.kpi_now')"
check "the NOC sees no table" grep -q 'permission denied' \
	<<<"$(sql "$state" tollwatch_noc 'select * from core.incident')"
check "nor writes" grep -q 'read-only transaction' \
	<<<"$(sql "$state" tollwatch_noc 'create temp table x ()')"
check "nor when it says it may" grep -q 'permission denied' \
	<<<"$(sql "$state" tollwatch_noc "begin; set transaction read write; create temp table x (); commit")"
same "the alerter finds its function" 0 "$(sql "$state" tollwatch_alerter "select alerter.position('x')")"
check "no other role comes in" grep -q 'authentication failed' \
	<<<"$(sql "$state" tollwatch_core 'select 1')"

# Killed as the kernel would: it comes back with what it had.
sql "$state" tollwatch_alerter "select alerter.apply('x', 8, '{}')" >/dev/null
old=$(postmaster "$state")
kill -9 "$old"
check "killed: back again" wait_for 40 ready 2
same "killed: nothing lost" 8 "$(sql "$state" tollwatch_alerter "select alerter.position('x')")"

# Ended by somebody else, in all order: it is not meant to be away.
pg_ctl() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid postgres --regid postgres --init-groups -- "$pg_bin/pg_ctl" "$@"
	else
		"$pg_bin/pg_ctl" "$@"
	fi
}
pg_ctl -D "$state/pg/data" -m fast -w stop >/dev/null
check "stopped by somebody else: back again" wait_for 40 ready 3

# Its launcher killed: it does not stay.
old=$(postmaster "$state")
kill -9 "$pid"
wait "$pid" 2>/dev/null
check "launcher killed: PostgreSQL ends too" wait_for 15 gone "$old"
sockets=$(readlink "$state/pg.socket")
start "$state"
same "next start" 8 "$(sql "$state" tollwatch_alerter "select alerter.position('x')")"
check "the old socket's folder is gone" [ ! -e "$sockets" ]

# One that did stay, of whom only the file tells.
stop
same "stopped: exit 0" 0 $?
check "stopped: no socket's folder" [ ! -e "$state/pg.socket" ]
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid postgres --regid postgres --init-groups -- "$@"
	else
		"$@"
	fi
}
as_owner "$pg_bin/postgres" -D "$state/pg/data" -k /tmp -p 54999 -c listen_addresses= \
	>"$dir/stray" 2>&1 &
stray=$!
pids="$pids $stray"
wait_for 20 grep -q 'ready to accept' "$dir/stray"
start "$state"
check "left behind: stopped, then started anew" grep -q 'of an earlier run is stopped' "$dir/err"
check "left behind: it ended" gone "$stray"
kill -9 "$stray" 2>/dev/null
wait "$stray" 2>/dev/null
stop

# The number in the file has become somebody else's.
as_owner bash -c "echo $$ >'$state/pg/data/postmaster.pid'"
start "$state"
check "number of another process: started" ready 1
check "number of another process: that one was left alone" kill -0 $$
stop
start "$state" fresh
same "fresh: what it held is gone" 0 "$(sql "$state" tollwatch_alerter "select alerter.position('x')")"
stop

# Interrupted while it was made.
mkdir -p "$dir/half/pg/new/base"
[ "$(id -u)" != 0 ] || chown -R postgres "$dir/half/pg"
start "$dir/half"
check "a half-made one is made again" ready 1
stop

long=$dir
for _ in 1 2 3 4 5; do long=$long/a-folder-with-a-name-of-forty-five-characters-x; done
mkdir -p -m 755 "$long"
start "$long"
check "a path of ${#long} characters" ready 1
stop

if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 "$dir/shut" "$dir/shut/state"
	start "$dir/shut/state"
	check "a folder the account cannot reach: elsewhere" ready 1
	elsewhere=$(readlink "$dir/shut/state/pg")
	same "elsewhere is private" "700 postgres" "$(stat -c '%a %U' "$elsewhere")"
	same "and that folder was not opened" 700 "$(stat -c %a "$dir/shut")"
	stop
	start "$dir/shut/state"
	check "and again" ready 1
	stop
	rm -rf "$elsewhere"

	mkdir -m 755 "$dir/nobody" && chown nobody "$dir/nobody" && chmod 755 "$dir"
	cp -r "$bin/test/cluster" sql "$dir/nobody/" && mkdir "$dir/nobody/bin" &&
		mv "$dir/nobody/cluster" "$dir/nobody/bin/"
	setpriv --reuid nobody --regid nogroup --clear-groups -- \
		"$dir/nobody/bin/cluster" "$dir/nobody" >"$dir/out" 2>"$dir/err" &
	pid=$!
	pids="$pids $pid"
	check "an ordinary user" wait_for 60 ready 1
	same "its own" nobody "$(stat -c %U "/proc/$(postmaster "$dir/nobody")")"
	stop
	same "stopped: exit 0" 0 $?
else
	echo "skip cluster as root: not root"
fi
finish
