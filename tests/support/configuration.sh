#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# configuration.sh: docs/configuration.md with its tables as the programs have
# them now, on standard output.  A line "<!-- PROGRAM -->" begins a table and
# "<!-- end -->" ends it; all else stays as it is written.
set -eu
cd "$(dirname "$0")/../.."
build="${BUILD:-build}"
skip=""
begun=0
while IFS= read -r line; do
	case $line in
	'<!-- end -->') skip="" ;;
	'<!-- collector -->' | '<!-- analyzer -->' | '<!-- alerter -->')
		program=${line#<!-- }
		echo "$line"
		"$build/tollwatch-${program% -->}" document-config
		skip=yes
		begun=$((begun + 1))
		continue
		;;
	esac
	[ -n "$skip" ] || printf '%s\n' "$line"
done <docs/configuration.md
[ $begun -eq 3 ] && [ -z "$skip" ] || {
	echo "docs/configuration.md: markers of the tables are missing" >&2
	exit 1
}
