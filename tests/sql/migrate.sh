#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tollwatch db: forward only, each file once, none changed afterwards.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
t="$bin/tollwatch"
db() { "$t" db "$@" --dsn "$dsn" --sql "$dir/sql" >"$dir/out" 2>"$dir/err"; }
cp -r sql "$dir/sql"
files=$(find sql -name '[0-9]*.sql' | wc -l)

db status
same "status before: pending is exit 3" 3 $?
same "status before: every file pending" "$files" "$(grep -c '^pending' "$dir/out")"
check "migrate" db migrate
same "migrate: a line for each file" "$files" "$(grep -c '^migrated ' "$dir/out")"
db migrate
same "migrate again: nothing to say, exit 0" "0 " "$? $(cat "$dir/out")"
check "status after" db status

# Two at once: one does it, the other waits and finds it done.
echo 'select pg_sleep(1); create table core.twice ();' >"$dir/sql/900_twice.sql"
db migrate &
"$t" db migrate --dsn "$dsn" --sql "$dir/sql" >"$dir/out2" 2>&1
rc=$?
wait $!
same "two at once: both end well" "0 0" "$rc $?"
same "two at once: done once" 1 "$(cat "$dir/out" "$dir/out2" | grep -c '^migrated 900')"

# A file that fails leaves nothing of itself.
echo 'create table core.half (); select 1/0;' >"$dir/sql/901_fails.sql"
db migrate
same "a failing file: exit 1" 1 $?
check "a failing file: named" grep -q '901_fails.sql.*division by zero' "$dir/err"
same "a failing file: nothing of it" "|0" "$(sql postgres \
	"select to_regclass('core.half'), (select count(*) from migration.applied where name ~ '^901')")"
rm "$dir/sql/901_fails.sql"

echo '-- more' >>"$dir/sql/005_timeline.sql"
db migrate
same "a changed file: refused" 1 $?
check "a changed file: named" grep -q '005_timeline.sql has changed' "$dir/err"
cp sql/005_timeline.sql "$dir/sql/"
mv "$dir/sql/900_twice.sql" "$dir/sql.900"
db status
same "a missing file: refused" 1 $?
check "a missing file: named" grep -q '900_twice.sql was applied and is not here' "$dir/err"
mv "$dir/sql.900" "$dir/sql/900_twice.sql"
echo 'select 1;' >"$dir/sql/100_late.sql"
db migrate
same "a file before an applied one: refused" 1 $?
finish
