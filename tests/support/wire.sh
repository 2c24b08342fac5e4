# SPDX-License-Identifier: Apache-2.0
# After lib.sh, for tests that put SIP on a wire: a network of their own, and a
# site that listens to it.  wire.py sends.

# net_new: "${inside[@]} COMMAND..." runs there, words and not a function so that
# $! is the command; false: the machine forbids it.  192.0.2.1 is the carrier, the customers are 198.51.100.0/24, 203.0.113.0/24.
net_new() {
	local flags=-rn user=(-U --preserve-credentials) net
	[ "$(id -u)" != 0 ] || flags=-n user=()
	unshare $flags sleep 600 2>"$dir/unshare" &
	net_pid=$!
	pids="$pids $net_pid"
	inside=(nsenter -t "$net_pid" "${user[@]}" -n --)
	wait_for 3 net_is_apart && "${inside[@]}" ip link set lo up 2>"$dir/ip" || return 1
	for net in 198.51.100.1/24 203.0.113.1/24; do
		"${inside[@]}" ip addr add $net dev lo || return 1
	done
}
net_is_apart() {
	[ "$(readlink /proc/self/ns/net)" != \
		"$(readlink "/proc/$net_pid/ns/net" 2>/dev/null)" ] &&
		"${inside[@]}" true 2>/dev/null
}

# wire_site INTERFACE ACCOUNTS: a site in $dir/c, what is on stdin added.  Its
# rules are the example's, with the night's limit of R03 by day too: the first
# call of any account to a hot country is found.
wire_site() {
	local i net
	mkdir -p "$dir/c"
	cp -r config/holidays config/rates.csv config/numbering.csv "$dir/c"
	sed 's/inside: {warning: {calls: 2}, critical: {calls: 6}}/inside: {warning: {calls: 1}, critical: {calls: 3}}/' \
		config/rules.yaml >"$dir/c/rules.yaml"
	{
		head -1 config/accounts.csv
		for i in $(seq 0 $(($2 - 1))); do
			net=198.51.100
			[ "$i" -lt 250 ] || net=203.0.113
			printf 'bench-%03d,Bench %d,office,office,,8,,,%s.%d/32,,2021-03-01,\n' \
				"$i" "$i" $net $((i % 250 + 1))
		done
	} >"$dir/c/accounts.csv"
	{
		cat <<END
version: 1
site: {name: bench, timezone: Europe/London, division: england-and-wales, region: GB, clock: wall}
files: {accounts: accounts.csv, rates: rates.csv, numbering: numbering.csv, holidays: holidays/}
calendars:
  office: {open: {mon-fri: "08:00-18:00"}, holidays: division}
dialplans:
  uk-pbx: {outside_line: ["9"], international: ["00"], national: "0", country: "44"}
peers:
  - {name: carrier, networks: [192.0.2.0/24], side: carrier}
  - {name: customers, networks: [198.51.100.0/24, 203.0.113.0/24], side: customer}
sources:
  - {name: wire, kind: pcap, interface: $1, filter: "udp port 5060", dialplan: uk-pbx}
include: [rules.yaml]
END
		cat
	} >"$dir/c/tollwatch.yaml"
}
