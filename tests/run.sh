#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [GROUP...]: run the groups of tests and end with one line that counts
# them: "N passed, N failed[, N skipped]".  Groups: unit asan fuzz sql golden
# replay system.  A test says "ok NAME", "not ok NAME" or "skip NAME: why" on a line
# of its own; unit tests are cmocka's.
cd "$(dirname "$0")/.."
export TOLLWATCH_SHARED="${TOLLWATCH_SHARED:-../shared}"
groups="${*:-unit asan fuzz sql golden replay system}"
passed=0 failed=0 skipped=0
log=$(mktemp -d /tmp/tollwatch-check.XXXXXX)
trap 'rm -rf "$log"' EXIT

count() { grep -c "$1" "$2" || true; }

# unit BUILD: every cmocka binary of a build tree that make has just made.
unit() {
	local t out n=0
	for t in tests/unit/*/test_*.c; do
		[ -e "$t" ] || continue
		t="$1/test/${t#tests/}"
		t="${t%.c}"
		out="$log/$n"
		n=$((n + 1))
		if [ ! -x "$t" ]; then
			echo "not ok $t: was not built"
			failed=$((failed + 1))
			continue
		fi
		timeout 300 "$t" >"$out" 2>&1
		rc=$?
		good=$(count '^\[       OK \]' "$out")
		bad=$(grep -c '^\[  FAILED  \] [a-z_0-9]*$' "$out")
		skip=$(grep -c '^\[  SKIPPED \] [a-z_0-9]*$' "$out")
		# A crash or a leak fails without a line of its own; names come
		# twice, beside the test and in the list at the end.
		bad=$(((bad + 1) / 2))
		skip=$(((skip + 1) / 2))
		[ $rc -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
		if [ $rc -ne 0 ]; then
			echo "not ok $t ($rc)"
			tail -40 "$out"
		fi
		passed=$((passed + good))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	done
}

# scripts DIR: lines of every script; one that ends badly has failed even if
# it said nothing.
scripts() {
	local t out rc bad n=0
	for t in "tests/$1"/*.sh; do
		[ -e "$t" ] || continue
		out="$log/$1$n"
		n=$((n + 1))
		timeout 300 bash "$t" >"$out" 2>&1
		rc=$?
		bad=$(count '^not ok ' "$out")
		[ $rc -eq 0 ] || [ "$bad" -gt 0 ] || {
			bad=1
			echo "not ok $t ended with $rc"
		}
		if [ "$bad" -gt 0 ]; then
			tail -60 "$out"
		else
			grep -E '^(ok|skip) ' "$out"
		fi
		passed=$((passed + $(count '^ok ' "$out")))
		failed=$((failed + bad))
		skipped=$((skipped + $(count '^skip ' "$out")))
	done
}

built() { # what a failed build prints is the failure
	"$@" >"$log/make" 2>&1 && return 0
	echo "not ok $*"
	tail -40 "$log/make"
	failed=$((failed + 1))
	return 1
}

for g in $groups; do
	echo "== $g"
	case $g in
	unit) built make -j"$(nproc)" unit-build && unit "${BUILD:-build}" ;;
	asan) built make -j"$(nproc)" asan-build && unit build/asan ;;
	fuzz)
		built make -j"$(nproc)" fuzz-replay && {
			passed=$((passed + 1))
			echo "ok fuzz targets over their corpus"
		}
		;;
	*) scripts "$g" ;;
	esac
done

line="$passed passed, $failed failed"
[ $skipped -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
