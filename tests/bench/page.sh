#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# page.sh SECONDS: from an INVITE on the wire to the page that the mail server
# took, through the real programs.
#
#   namespace: wire.py ─▶ lo ─▶ collector ─▶ analyzer ─▶ alerter ─▶ sink
#                                                           └─▶ PostgreSQL
#
# Each INVITE is the first call of another account to a hot country, which R03
# pages for: one incident and one e-mail each.  Both ends are read off one
# clock, CLOCK_REALTIME: before sendto(), and when the sink has the dot of DATA
# (its 250 is the next thing it writes).  "Committed" is PostgreSQL's own
# commit timestamp of the timeline row "opened"; it is taken when the commit
# begins, so the flush of its log comes on top.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
. tests/support/wire.sh
need jq ip unshare nsenter python3
seconds=${1:-60}
n=$((seconds * 5))
n=$((n < 200 ? 200 : n > 300 ? 300 : n))
burst=100
t="$bin/tollwatch"

net_new && "${inside[@]}" ip addr add 192.0.2.1/24 dev lo || {
	echo "wire to page: skipped: no network namespace here"
	exit 0
}
fail() {
	echo "wire to page: $*" >&2
	tail -n 5 "$dir"/*.err >&2
	exit 1
}
pg_new || fail "PostgreSQL does not start"
echo "track_commit_timestamp = on" >>"$pg_dir/postgresql.conf"
kill -INT "$pg_pid"
wait "$pg_pid" 2>/dev/null
pg_start || fail "PostgreSQL does not start again"
"$t" db migrate --dsn "$dsn" >/dev/null 2>"$dir/migrate.err" || fail "db migrate"
export DSN="host=$pg_sock user=tollwatch_alerter dbname=tollwatch"

"$bin/test/sink" --smtp >"$dir/sink" 2>"$dir/sink.err" &
pids="$pids $!"
wait_for 10 test -s "$dir/sink"
smtp=$(head -1 "$dir/sink" | jq -r .smtp)

mkdir -p "$dir/run"
wire_site lo $((n + burst)) <<END
alerter:
  smtp: {relay: "$smtp", from: tollwatch@example.com, tls: none}
database: {dsn: "\${env:DSN}"}
people:
  alex: {name: "Alex Example", email: alex@example.com}
escalation:
  default: [{notify: alex, after: 0m, repeat: 30m}]
last_resort: alex
END
"$bin/tollwatch-alerter" run --config "$dir/c" --state "$dir/alerter" \
	--bind "ipc://$dir/run/findings" --command "$dir/run/command" \
	>"$dir/said" 2>"$dir/alerter.err" &
pids="$pids $!"
"$bin/tollwatch-analyzer" run --config "$dir/c" --state "$dir/analyzer" \
	--bind "ipc://$dir/run/events" --findings "ipc://$dir/run/findings" \
	>"$dir/found" 2>"$dir/analyzer.err" &
pids="$pids $!"
"${inside[@]}" "$bin/tollwatch-collector" run --config "$dir/c" \
	--state "$dir/collector" --connect "ipc://$dir/run/events" \
	2>"$dir/collector.err" &
pids="$pids $!"
wait_for 10 said 'listens on lo' "$dir/collector.err" || fail "no capture"
wait_for 10 test -S "$dir/run/command" || fail "no alerter"
sleep 2 # all have found each other, and the database

mails() { tail -n +2 "$dir/sink" | wc -l; }
at_least() { [ "$(mails)" -ge "$1" ]; }
"${inside[@]}" python3 tests/support/wire.py 0 $n 30 60 >"$dir/sent" || fail "no sender"
wait_for 30 at_least $n || fail "$(mails) pages for $n calls"
"${inside[@]}" python3 tests/support/wire.py $n $burst 0 0 >>"$dir/sent" || fail "no sender"
wait_for 30 at_least $((n + burst)) ||
	fail "$(mails) pages for $((n + burst)) calls"

# NAME MICROSECONDS, as the sender has it
tail -n +2 "$dir/sink" | jq -r '(.subject + .text | capture("(?<a>bench-[0-9]+)").a) +
	" " + (.received | (.[0:19] + "Z" | fromdate) * 1000000 +
	(.[20:26] | tonumber) | tostring)' | sort >"$dir/taken"
committed() {
	sql postgres "select i.account, (extract(epoch from
		pg_xact_commit_timestamp(t.xmin)) * 1000000)::bigint
		from core.timeline t join core.incident i on i.id = t.incident
		where t.kind = 'opened'" | tr '|' ' ' | sort >"$dir/committed"
	[ "$(wc -l <"$dir/committed")" -ge $((n + burst)) ]
}
wait_for 30 committed || fail "$(wc -l <"$dir/committed") incidents on record"
sort -o "$dir/sent" "$dir/sent"

# spread FROM TO FILE: "n p50 p99 max" in ms of the accounts FROM to TO.
spread() {
	join "$dir/sent" "$3" | awk -v from="$1" -v to="$2" '
		{ i = substr($1, 7) + 0 }
		i >= from && i < to { printf "%.1f\n", ($3 - $2) / 1000 }' |
		sort -n | awk '{ v[NR] = $1 }
		function at(p) { i = int(NR * p); i += i < NR * p; return v[i] }
		END { print NR, at(0.5), at(0.99), v[NR] }'
}
read -r pages p50 p99 max < <(spread 0 $n "$dir/taken")
read -r rows c50 c99 cmax < <(spread 0 $n "$dir/committed")
read -r _ b50 _ bmax < <(spread $n $((n + burst)) "$dir/taken")
[ "$pages $rows" = "$n $n" ] || fail "$pages pages, $rows incidents of $n calls"
echo "wire to page: $pages pages, p50 $p50 ms, p99 $p99 ms, max $max ms" \
	"(incident committed: p50 $c50 ms, p99 $c99 ms, max $cmax ms)"
echo "  one each 30-60 ms, to the sink's acceptance;" \
	"$burst calls at once: p50 $b50 ms, last after $bmax ms"
