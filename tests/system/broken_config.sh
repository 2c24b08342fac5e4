#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All faults of a config in one run, each once and at its place; a reload
# with it keeps the old one.
. "$(dirname "$0")/../support/lib.sh"
need jq
t="$bin/tollwatch"

cp -r config "$dir/c"
cat >"$dir/c/rules.yaml" <<'Y'
rules:
  - id: R01
    name: spend-60m
    family: toll
    per: account
    match: {direction: [outbound]}
    witin: 60m
    outside: {warning: {spend: 10}, critical: {spend: £25}}
    name: twice
Y
text=$(sed 's/calendars:/calendars:\n  night: {open: {mon-sun: "22:00-06:00"}}/' \
	"$dir/c/tollwatch.yaml")
echo "$text" >"$dir/c/tollwatch.yaml"
sed -i '0,/,office,office,/s//,office,ofice,/' "$dir/c/accounts.csv"

"$t" check-config "$dir/c" >"$dir/out" 2>"$dir/err"
same "exit 78" 78 $?
"$t" check-config --json "$dir/c" >"$dir/json"
same "exit 78 in JSON too" 78 $?
check "misspelt key: a guess" said "within" "$dir/err"
for want in 'rules.yaml:7' 'rules.yaml:8' 'rules.yaml:9' 'accounts.csv:2'; do
	check "fault at $want" said "$want:" "$dir/err"
	same "$want is said once" 1 "$(grep -c "$want:" "$dir/err")"
done
if grep -q '22:00' "$dir/err"; then
	not_ok "an overnight range is accepted"
else
	ok "an overnight range is accepted"
fi
# The caret stands under the first character of what is wrong.
caret=$(awk '/rules.yaml:7:/ {getline; line = $0; getline;
	print substr(line, index($0, "^"), 5)}' "$dir/err")
same "the caret is under the key" witin "$caret"
same "every line is JSON" "$(wc -l <"$dir/json")" \
	"$(jq -c 'select(.file and .line and .message)' "$dir/json" | wc -l)"

printf 'rules:\n\t- id: R01\n' >"$dir/c/rules.yaml"
"$t" check-config "$dir/c" >"$dir/out" 2>"$dir/err"
same "a tab: exit 78" 78 $?
check "a tab is named" said "rules.yaml:2:1:" "$dir/err"
finish
