#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The outbox reaches the database once and in order, whatever happens to the
# database meanwhile.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
make -s "${BUILD:-build}/test/ship" || exit 1
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
"$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" || not_ok "migrate"
alerter="host=$pg_sock user=tollwatch_alerter dbname=tollwatch"

ship() { # STREAM ENTRIES [BAD]
	timeout 100 "$bin/test/ship" "$alerter" "$1" "$dir/$1" "${@:2}"
}
landed() { # STREAM: rows, incidents, out of order
	sql postgres "select count(*), count(distinct incident),
		count(*) filter (where ref < last) from (
			select t.*, i.ref, lag(i.ref) over (order by t.id) as last
			from core.timeline t join core.incident i on i.id = t.incident
			where t.stream = '$1') x"
}

ship calm 500 >"$dir/calm.out" 2>"$dir/calm.log"
same "calm: every entry applied in one connection" \
	"applied 500 repeated 0 failures 0 connects 1 behind 0" "$(cat "$dir/calm.out")"
same "calm: twice as many rows, in order" "1000|500|0" "$(landed calm)"
same "people arrived" "Alex Example|alex@example.com" "$(sql postgres \
	"select p.name, c.target from core.person p join core.contact c on c.person = p.id")"

# Killed in mid-stream, again and again.
ship storm 6000 >"$dir/storm.out" 2>"$dir/storm.log" &
ship_pid=$!
pids="$pids $ship_pid"
kills=0
for _ in 1 2 3 4 5 6; do
	sleep "0.$((RANDOM % 6 + 2))"
	kill -0 $ship_pid 2>/dev/null || break
	pg_kill
	kills=$((kills + 1))
	pg_start || not_ok "started again"
done
wait $ship_pid
same "storm: ended well" 0 $?
check "storm: killed in mid-stream ($kills times)" [ $kills -ge 2 ]
check "storm: noticed" grep -q 'store: .*again in' "$dir/storm.log"
same "storm: every entry once, in order" "12000|6000|0" "$(landed storm)"

# The program itself killed: the next one goes on where the database is.
"$bin/test/ship" "$alerter" cut "$dir/cut" 3000 >/dev/null 2>&1 &
ship_pid=$!
pids="$pids $ship_pid"
sleep 0.6
kill -9 $ship_pid
wait $ship_pid 2>/dev/null
ship cut 0 >/dev/null 2>&1
same "cut: the next one ends well" 0 $?
written=$(sql postgres "select entries from core.entry_mark where stream = 'cut'")
check "cut: something was written before" [ "$written" -gt 10 ]
same "cut: once, in order" "$((written * 2))|$written|0" "$(landed cut)"

# An entry the database refuses holds up what follows; nothing is passed over.
timeout 4 "$bin/test/ship" "$alerter" bad "$dir/bad" 200 90 >/dev/null 2>"$dir/bad.log"
same "refused: what came before landed, nothing behind it" "178|89|0" "$(landed bad)"
check "refused: the log names the entry and why" \
	grep -q 'error store: entry [0-9]*: 22007 .*everything after it waits' "$dir/bad.log"

# Put back to an older state: nothing is written over what is there.
rm -rf "$dir/calm"
timeout 3 "$bin/test/ship" "$alerter" calm "$dir/calm" 3 >/dev/null 2>"$dir/old.log"
check "older outbox: said so" grep -q 'put back to an older state' "$dir/old.log"
same "older outbox: nothing written" "1000|500|0" "$(landed calm)"
finish
