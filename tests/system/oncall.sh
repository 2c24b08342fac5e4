#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who is on call: of the example, in a gap, over the change of the clocks.
. "$(dirname "$0")/../support/lib.sh"
t="$bin/tollwatch"

"$t" oncall --config config --at "2026-01-17 02:24" >"$dir/out" 2>"$dir/err"
same "oncall: exit 0" 0 $?
check "the turn, until when, who is next" said \
	'^night: Sam Sample until Mon 19 Jan 17:30, then Priya Pattern$' "$dir/out"
check "the steps in local time" said \
	'^  02:34 .*Priya Pattern by e-mail, webhook, again every 15m$' "$dir/out"
check "families without steps: the last resort" said \
	'last resort: Priya Pattern' "$dir/out"

"$t" oncall --config config --at 2026-01-05T17:20:00Z >"$dir/out" 2>&1
check "a gap is named" said '^night: NOBODY: a gap until 17:30' "$dir/out"
"$t" oncall --config config --at "2026-03-29 12:00" --json |
	jq -r '.schedules[0].until' >"$dir/out"
same "17:30 stays 17:30 in summer" "2026-03-30T16:30:00.000000Z" \
	"$(cat "$dir/out")"
"$t" oncall --config config --at noon >"$dir/out" 2>&1
same "no time: exit 2" 2 $?

cp -r config "$dir/site"
sed -i 's/notify: night/notify: nigth/' "$dir/site/oncall.yaml"
"$t" oncall --config "$dir/site" >"$dir/out" 2>&1
same "a bad config: exit 78" 78 $?
check "and why" said "no person or schedule 'nigth'" "$dir/out"
"$t" check-config "$dir/site" >"$dir/out" 2>&1
same "check-config asks the alerter too: exit 78" 78 $?
check "with a hint" said "did you mean 'night'" "$dir/out"
finish
