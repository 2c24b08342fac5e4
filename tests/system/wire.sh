#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Live capture: each call on the wire of a test network is counted once, after a
# kill -9, a reload, and when the interface goes and comes back.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/wire.sh
need jq ip unshare nsenter python3
t="$bin/tollwatch"
# The customers' packets leave by one end of a cable and are seen at the other.
tap() {
	"${inside[@]}" ip link add tap type veth peer name far &&
		"${inside[@]}" ip link set tap up &&
		"${inside[@]}" ip link set far up &&
		"${inside[@]}" ip addr add 192.0.2.9/24 dev far &&
		"${inside[@]}" ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev far
}
net_new && tap 2>"$dir/ip" || {
	echo "skip wire: no network of its own here"
	exit 0
}
wire_site tap 100 </dev/null

"$bin/tollwatch-analyzer" run --config "$dir/c" --state "$dir/analyzer" \
	--bind "ipc://$dir/events" >"$dir/found" 2>"$dir/analyzer.err" &
pids="$pids $!"
listens() { # TIMES since the start of this test
	[ "$(grep -c 'listens on tap' "$dir/err")" = "$1" ]
}
collect() {
	"${inside[@]}" "$bin/tollwatch-collector" run --config "$dir/c" \
		--state "$dir/collector" \
		--connect "ipc://$dir/events" 2>>"$dir/err" &
	collector=$!
	pids="$pids $collector"
}
counted() { # CALLS, all in the archive
	timeout 20 "$t" backtest --config "$dir/c" --summary "$dir/sum" --json \
		"$dir/analyzer/archive" >"$dir/again" 2>/dev/null
	[ "$(jq .calls "$dir/sum" 2>/dev/null)" = "$1" ]
}
call() { "${inside[@]}" python3 tests/support/wire.py "$1" 20 0 5 >/dev/null; }

collect
check "listens" wait_for 10 listens 1
call 0
check "each call is counted" wait_for 10 counted 20
same "of an account of its own" 20 "$(jq -r .account "$dir/again" | sort -u | wc -l)"
kill -9 "$collector"
wait "$collector" 2>/dev/null
collect
check "killed: listens again" wait_for 10 listens 2
call 20
check "and counts on" wait_for 10 counted 40
kill -HUP "$collector"
check "reloaded: listens anew" wait_for 10 listens 3
call 40
check "and counts on" wait_for 10 counted 60
"${inside[@]}" ip link del tap
check "the interface goes: said" wait_for 10 said 'source: wire: tap' "$dir/err"
tap
check "comes back: listens" wait_for 10 listens 4
call 60
check "and counts on" wait_for 10 counted 80
kill -TERM "$collector"
wait "$collector"
same "an ordered end" 0 $?

sed -i 's/udp port 5060/udp prot 5060/' "$dir/c/tollwatch.yaml"
collect
wait "$collector"
same "a filter that is none: no start" 1 $?
check "and why" said 'tap: filter: ' "$dir/err"
sed -i 's/clock: wall/clock: feed/' "$dir/c/tollwatch.yaml"
timeout 10 "$bin/tollwatch-collector" check-config "$dir/c" 2>"$dir/bad"
same "feed time and an interface: refused" 78 $?
check "and why" said 'wants site.clock: wall' "$dir/bad"
[ $failures -eq 0 ] || tail "$dir/err" "$dir/analyzer.err"
finish
