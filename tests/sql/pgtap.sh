#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each tests/sql/*.sql in a database that has had every migration; a file is
# rolled back at its end.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
if ! "$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1; then
	not_ok "migrate: $(tail -1 "$dir/migrate")"
	finish
fi
if ! sql postgres "create schema tap; create extension pgtap schema tap" 2>"$dir/err"; then
	echo "skip pgtap: $(head -1 "$dir/err")"
	exit 0
fi
for f in tests/sql/*.sql; do
	name=$(basename "$f" .sql)
	"$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_sock" -U postgres \
		-d tollwatch -f "$f" >"$dir/$name" 2>&1
	rc=$?
	sed -n -E "s/^(not )?ok [0-9]+ -? ?/\1ok $name: /p" "$dir/$name"
	grep -E '^(#|psql|ERROR)' "$dir/$name"
	failures=$((failures + $(grep -c '^not ok' "$dir/$name")))
	# What ended early, or ran another number than it says, has failed too.
	[ $rc -eq 0 ] || not_ok "$name: psql ended with $rc"
	grep -q '^1\.\.[1-9]' "$dir/$name" || not_ok "$name: no plan"
done
finish
