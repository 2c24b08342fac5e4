#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A reload with a broken config keeps the old one and says so; a good one is
# taken.
. "$(dirname "$0")/../support/lib.sh"
t="$bin/tollwatch"

cp -r config "$dir/c"
sed -i 's/clock: feed/clock: wall/' "$dir/c/tollwatch.yaml"
"$t" run --config "$dir/c" --state "$dir/s" >"$dir/out" 2>"$dir/err" &
runner=$!
pids="$runner"
check "the site comes up" wait_for 30 said '^site up$' "$dir/out"

cp "$dir/c/rules.yaml" "$dir/rules.good"
sed -i 's/within: 60m/witin: 60m/' "$dir/c/rules.yaml"
: >"$dir/mark"
before=$(wc -l <"$dir/err")
kill -HUP "$runner"
new() { tail -n "+$((before + 1))" "$dir/err" | grep -qi "$1"; }
check "a broken config is refused, with its place" \
	wait_for 10 new 'rules.yaml:[0-9]'
check "and the old one stays" wait_for 10 new 'keep\|kept\|old'
check "both go on running" "$t" status --state "$dir/s" >/dev/null

cp "$dir/rules.good" "$dir/c/rules.yaml"
sed -i 's/critical: {spend: £25}/critical: {spend: £24}/' "$dir/c/rules.yaml"
before=$(wc -l <"$dir/err")
kill -HUP "$runner"
check "a good one is taken" wait_for 10 new 'config'
if new 'rules.yaml:[0-9]'; then
	not_ok "without an error"
else
	ok "without an error"
fi
kill -TERM "$runner"
wait "$runner"
same "an ordered stop: exit 0" 0 $?
finish
