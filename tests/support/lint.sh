#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh: clang-format, cppcheck and clang-tidy over every C file; a line for
# each finding, then "N files, M findings".  A file that a tool cannot look
# at, or not in LINT_SECONDS, is a finding too.
set -u
cd "$(dirname "$0")/../.."
jobs="${LINT_JOBS:-2}"
export LINT_SECONDS="${LINT_SECONDS:-180}"
found=$(mktemp /tmp/tollwatch-lint.XXXXXX)
trap 'rm -f "$found" "$found".*' EXIT
export found

mapfile -t files < <(git ls-files '*.c' '*.h')
mapfile -t sources < <(git ls-files '*.c')
mapfile -t folders < <(printf '%s\n' "${sources[@]%%/*}" |
	sort -u | grep -vx tests)
[ ${#folders[@]} -gt 0 ] || {
	echo "lint.sh: no C file is found" >&2
	exit 1
}

# one TOOL FILE PATTERN COMMAND...: its lines that match; ending badly
# without one is a line as well.  A file each, so that lines do not mix.
one() {
	local out rc lines
	out=$(timeout "$LINT_SECONDS" "${@:4}" 2>&1)
	rc=$?
	lines=$(grep -E "$3" <<<"$out")
	[ $rc -eq 0 ] || [ -n "$lines" ] ||
		lines="$2:1:1: $1 ended with $rc: $(tail -1 <<<"$out")"
	[ -z "$lines" ] || echo "$lines" >"$(mktemp "$found.XXXXXX")"
}
format() {
	one clang-format "$1" '(error|warning):' \
		clang-format --dry-run -Werror "$1"
}
tidy() {
	one clang-tidy "$1" '(error|warning):' \
		clang-tidy --quiet "$1" -- -std=c11 -I. -D_GNU_SOURCE
}
export -f one format tidy

each() { # FUNCTION FILE...
	printf '%s\0' "${@:2}" |
		xargs -0 -P "$jobs" -I{} bash -c "$1 \"\$0\"" {}
}

each format "${files[@]}"
mkdir -p build/cppcheck
one cppcheck all '\[[a-zA-Z_]+\]$' \
	cppcheck -q -j"$jobs" --std=c11 -D_GNU_SOURCE -I. \
	--enable=warning,performance,portability --inline-suppr \
	--suppressions-list=tests/support/cppcheck.txt \
	--cppcheck-build-dir=build/cppcheck --error-exitcode=1 \
	--template='{file}:{line}:{column}: {severity}: {message} [{id}]' \
	"${folders[@]}"
each tidy "${sources[@]}"

# A finding in a header or in a file that a test includes comes many times.
cat "$found".* 2>/dev/null | sed "s|^$PWD/||; s|^\./||" | sort -u >"$found"
cat "$found"
findings=$(wc -l <"$found")
echo "${#files[@]} files, $findings findings"
[ "$findings" -eq 0 ]
