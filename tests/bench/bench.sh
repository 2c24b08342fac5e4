#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh SECONDS: how much traffic each part carries, in one table, and how
# long a call takes from the wire to the page about it.  Every
# figure comes from this run on this machine; ratios are what to compare
# between machines.  Short runs take fewer repetitions, not a smaller file:
# the number of calls up at once must have settled for memory to mean much.
# Ends badly when the collector's memory grows with the file.
set -eu
cd "$(dirname "$0")/../.."
build="${BUILD:-build}"
seconds="${1:-60}"
case $seconds in '' | *[!0-9]*)
	echo "usage: bench.sh SECONDS" >&2
	exit 2
	;;
esac
# page.sh takes the rest: its pages have to be spread out
total=$seconds
seconds=$((seconds > 40 ? seconds - 20 : seconds / 2 + 1))
calls=50000 messages=7 # as bench_sip writes them
dir=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
sip="$build/test/bench_sip" engine="$build/test/bench_engine"

ms() { date +%s%3N; }
calc() { awk "BEGIN { $1 }"; }

# Two short runs say how long the real ones may be.
"$sip" --generate $calls "$dir/1.pcap"
"$sip" --generate $((calls * 4)) "$dir/4.pcap"
t=$(ms)
"$sip" "$dir/1.pcap" 1 >/dev/null
one=$(($(ms) - t))
runs=$(calc "n = int($seconds * 400 / $one); n -= (n + 1) % 2
	print (n < 1 ? 1 : n > 9 ? 9 : n)")
speed=$("$engine" 100000 | sed -n 's|^engine: \([0-9]*\) events/s.*|\1|p')
events=$(calc "n = int($seconds * $speed * 0.3)
	print (n < 200000 ? 200000 : n > 4000000 ? 4000000 : n)")

# decode FILE: "seconds kilobytes" of the whole program, median of three.
decode() {
	local i
	for i in 1 2 3; do
		t=$(ms)
		/usr/bin/time -f %M -o "$dir/peak" \
			"$build/tollwatch-collector" decode --wire --stats \
			"$1" >"$dir/out" 2>"$dir/stats"
		echo "$(($(ms) - t)) $(cat "$dir/peak")"
	done | sort -n | sed -n 2p
}

"$sip" "$dir/1.pcap" "$runs" | tee "$dir/sip"
base=$(sed -n 's/^mmap walk *[0-9.]* *\([0-9]*\) .*/\1/p' "$dir/sip")
row() { # NAME SECONDS RATE RATIO MB MESSAGES EVENTS
	printf '%-24s %8.3f %10.0f %6.3f %8.1f %9s %9s\n' "$@"
}
whole() { # NAME FILE CALLS; sets peak
	local took
	took=$(decode "$2")
	peak=${took#* }
	took=${took% *}
	row "$1" "$(calc "print $took / 1000")" \
		"$(calc "print $3 * $messages * 1000 / $took")" \
		"$(calc "print $3 * $messages * 1000 / $took / $base")" \
		"$(calc "print $peak / 1024")" \
		$(($3 * messages)) "$(jq .events "$dir/stats")"
}
whole "decode --wire" "$dir/1.pcap" $calls
small=$peak
whole "decode --wire, 4 x file" "$dir/4.pcap" $((calls * 4))

"$engine" "$events" >"$dir/engine"
speed=$(sed -n 's|^engine: \([0-9]*\) events/s.*|\1|p' "$dir/engine")
mb=$(sed -n 's|^memory: .* \([0-9]*\) MB at the end.*|\1|p' "$dir/engine")
row "analyzer, events" "$(calc "print $events / $speed")" "$speed" \
	"$(calc "print $speed / $base")" "$mb" - "$events"
echo "ratio: to the mmap walk; the analyzer's rate is in events"
sed 's/^/  /' "$dir/engine"
tests/bench/page.sh "$total"
tests/bench/disclose.sh 5 || exit 1
tests/bench/audit.sh || exit 1
growth=$(calc "print $peak / $small")
echo "decode: peak memory at 4 x the file is $growth x"
[ "$(calc "print ($growth < 1.25)")" = 1 ] || {
	echo "not ok: memory grows with the file" >&2
	exit 1
}
