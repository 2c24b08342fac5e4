#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh run|check|bench|lint: install the Debian packages that are missing.  Works
# offline when none is; exits 69 with the line to type when it may not install.
set -eu
want="gcc make libc6-dev libpcap-dev libzmq3-dev libevent-dev libyaml-dev
	libjansson-dev libsodium-dev zlib1g-dev libcurl4-openssl-dev libpq-dev
	postgresql ca-certificates pkg-config tzdata"
case "${1:-}" in
run) ;;
check) want="$want minisign postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl
	libcmocka-dev sip-tester tcpdump jq openssl python3 python3-aiosmtpd
	iproute2" ;;
bench) want="$want libosip2-dev time jq python3 iproute2" ;;
lint) want="$want libcmocka-dev libosip2-dev clang-format clang-tidy cppcheck" ;;
*)
	echo "usage: packages.sh run|check|bench|lint" >&2
	exit 2
	;;
esac

missing=""
for p in $want; do
	dpkg -s "$p" 2>/dev/null | grep -q '^Status: .* installed$' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0

export DEBIAN_FRONTEND=noninteractive
apt="apt-get -qq -y --no-install-recommends install$missing"
if [ "$(id -u)" = 0 ]; then
	as=""
elif sudo -n true 2>/dev/null; then
	as="sudo -n DEBIAN_FRONTEND=noninteractive"
else
	echo "missing packages; as root, type:" >&2
	echo "  apt-get update && apt-get install$missing" >&2
	exit 69
fi
echo "installing:$missing" >&2
# shellcheck disable=SC2086
$as apt-get -qq update >&2
# Debian starts a server of its own for whoever installs PostgreSQL; we want
# only the programs.
conf=/etc/postgresql-common/createcluster.d/tollwatch.conf
$as mkdir -p "${conf%/*}"
echo "create_main_cluster = false" | $as tee "$conf" >/dev/null
# shellcheck disable=SC2086
$as $apt >&2 && rc=0 || rc=$?
$as rm -f "$conf"
exit $rc
