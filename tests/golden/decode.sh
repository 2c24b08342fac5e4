#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Call records to events, by the byte: decode/NAME.csv gives NAME.jsonl.  After
# a wanted change look at the difference, then write the new file with
# "decode --json".
cd "$(dirname "$0")/../.."
collector="${BUILD:-build}/tollwatch-collector"
[ -x "$collector" ] || { echo "not ok decode: $collector was not built"; exit 1; }
rc=0
for in in tests/golden/decode/*.csv; do
	want="${in%.csv}.jsonl"
	if "$collector" decode --json "$in" 2>/dev/null | diff -u "$want" -; then
		echo "ok decode $(basename "$in")"
	else
		echo "not ok decode $(basename "$in")"
		rc=1
	fi
done
exit $rc
