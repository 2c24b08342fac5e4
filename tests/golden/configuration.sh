#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/configuration.md has every row of the schemas as it is; "make docs"
# writes it anew.
cd "$(dirname "$0")/../.."
if tests/support/configuration.sh | diff -u docs/configuration.md -; then
	echo "ok configuration: the schemas are documented"
else
	echo "not ok configuration: run 'make docs'"
	exit 1
fi
