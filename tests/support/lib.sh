# SPDX-License-Identifier: Apache-2.0
# For system tests: . tests/support/lib.sh
# Gives $dir, a folder of the test's own that goes away with it, and makes
# sure that nothing it started outlives it.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
bin=$PWD/${BUILD:-build}
dir=$(mktemp -d /tmp/tollwatch-test.XXXXXX)
chmod 711 "$dir" # so that PostgreSQL, which is never root, reaches a state in it
pids=""
failures=0

cleanup() {
	local p
	for p in $pids; do
		kill "$p" 2>/dev/null
	done
	for p in $pids; do
		for _ in $(seq 50); do
			kill -0 "$p" 2>/dev/null || break
			sleep 0.1
		done
		kill -9 "$p" 2>/dev/null
	done
	[ -n "${KEEP:-}" ] && return
	# data of a state folder that PostgreSQL's account could not reach
	find "$dir" -type l -name pg -lname '/var/lib/tollwatch/pg-*' \
		-exec sh -c 'rm -rf "$(readlink "$1")"' _ {} \;
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ok() { echo "ok $*"; }
not_ok() {
	echo "not ok $*"
	failures=$((failures + 1))
}
# check NAME COMMAND...: the command's success decides.
check() {
	local name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}
same() { # NAME WANT GOT
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: want '$2', got '$3'"; fi
}
finish() {
	[ "$failures" -eq 0 ]
	exit
}
need() { # PROGRAM...: without it the whole script is skipped, in a line
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null && continue
		echo "skip $(basename "$0" .sh): no $p"
		exit 0
	done
}
# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
said() { grep -q -- "$1" "$2"; } # TEXT FILE
