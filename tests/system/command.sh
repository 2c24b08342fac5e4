#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line itself.
. "$(dirname "$0")/../support/lib.sh"
t="$bin/tollwatch"

"$t" >"$dir/out" 2>&1
same "no command: exit 2" 2 $?
"$t" decod >"$dir/out" 2>&1
same "unknown command: exit 2" 2 $?
check "unknown command: a guess" said "did you mean 'decode'" "$dir/out"
check "version" said '^tollwatch [0-9]' <("$t" version)
"$t" status --state "$dir/none" >"$dir/out" 2>&1
same "status of nothing: exit 69" 69 $?
TOLLWATCH_RUN_FOR=soon "$t" run --state "$dir/s" >"$dir/out" 2>&1
same "RUN_FOR without a unit: exit 2" 2 $?

check "and says what to do" said 'name the folder' <("$t" ack 1 --state "$dir/none" 2>&1)
"$t" ack 1 --note $'\xff' --state "$dir/none" >"$dir/out" 2>&1
same "a note that is not text is not dropped in silence: exit 2" 2 $?
"$t" ack 1 --verdict fraud --state "$dir/none" >"$dir/out" 2>&1
same "ack takes no verdict: exit 2" 2 $?
"$t" check-config "$dir/none" >"$dir/out" 2>&1
same "check-config of no folder: exit 78" 78 $?
"$t" reload --config "$dir/none" --state "$dir/s" >"$dir/out" 2>&1
same "reload of no folder: exit 78" 78 $?
check "and it is not asked for" said 'the old config stays' "$dir/out"

check "the example config is valid" "$t" check-config config
"$t" check-config --json config >"$dir/out" 2>/dev/null
same "and in JSON has no line of an error" 0 \
	"$(grep -vc '"severity":"warning"' "$dir/out")"
finish
