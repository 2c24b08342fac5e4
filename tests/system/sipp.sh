#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Traffic of a foreign SIP stack on loopback, captured and decoded: one call
# for each scenario, and what became of it.
. "$(dirname "$0")/../support/lib.sh"
need sipp tcpdump jq
t="$bin/tollwatch"
uas=$((20000 + $$ % 10000))
uac=$((uas + 10000))
tag='[pid]S[call_number]'
first='z9hG4bK-[pid]-[call_number]-0' # the branch of message 0, the INVITE

if ! timeout 5 tcpdump -i lo -c 0 -w /dev/null >/dev/null 2>"$dir/err" &&
	grep -qi 'permi' "$dir/err"; then
	echo "skip sipp: may not capture"
	exit 0
fi
tcpdump -i lo -U -s 0 -w "$dir/lo.pcap" "udp port $uas" 2>"$dir/tcpdump" &
dump=$!
pids="$dump"
wait_for 10 said 'listening on' "$dir/tcpdump" || {
	not_ok "tcpdump listens"
	exit 1
}

request() { # METHOD CSEQ [HEADER...]: what the UAC sends
	local m=$1 n=$2 to='<sip:[service]@[remote_ip]:[remote_port]>'
	shift 2
	case $m in ACK | BYE) to="$to[peer_tag_param]" ;; esac
	echo "<send${RETRANS:-}><![CDATA["
	echo "$m sip:[service]@[remote_ip]:[remote_port] SIP/2.0"
	echo "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=${BRANCH:-[branch]}"
	echo "From: <sip:01632960001@[local_ip]:[local_port]>;tag=$tag"
	echo "To: $to"
	echo "Call-ID: [call_id]"
	echo "CSeq: $n $m"
	echo "Contact: <sip:01632960001@[local_ip]:[local_port]>"
	echo "Max-Forwards: 70"
	for h in "$@"; do echo "$h"; done
	echo "Content-Length: 0"
	echo
	echo "]]></send>"
}
response() { # CODE REASON [HEADER...]: what the UAS sends
	local c=$1 r=$2
	shift 2
	echo "<send><![CDATA["
	echo "SIP/2.0 $c $r"
	echo "[last_Via:]"
	echo "[last_From:]"
	echo "[last_To:]${TOTAG:-;tag=$tag}"
	echo "[last_Call-ID:]"
	echo "[last_CSeq:]"
	echo "Contact: <sip:[local_ip]:[local_port]>"
	for h in "$@"; do echo "$h"; done
	echo "Content-Length: 0"
	echo
	echo "]]></send>"
}
recv() { echo "<recv response=\"$1\"${2:-}/>"; }
hear() { echo "<recv request=\"$1\"/>"; }
maybe=' optional="true"'
wait_ms() { echo "<pause milliseconds=\"$1\"/>"; }
scenario() { # FILE: body from stdin
	{
		echo '<?xml version="1.0" encoding="ISO-8859-1"?>'
		echo '<scenario name="x">'
		cat
		echo '</scenario>'
	} >"$1"
}
# play NAME NUMBER: the two sides in $dir/NAME.{uac,uas}
play() {
	sipp -sf "$dir/$1.uas" -i 127.0.0.1 -p $uas -m 1 -nostdin \
		-timeout 20 >"$dir/uas.log" 2>&1 &
	local p=$!
	pids="$pids $p"
	sleep 0.3
	timeout 30 sipp -sf "$dir/$1.uac" -i 127.0.0.1 -p $uac -m 1 -s "$2" \
		-nostdin -timeout 20 127.0.0.1:$uas >"$dir/uac.log" 2>&1
	local rc=$?
	kill "$p" 2>/dev/null
	wait "$p" 2>/dev/null
	[ $rc -eq 0 ] || tail -5 "$dir/uac.log"
	same "sipp plays $1" 0 $rc
}

talk() { # ACK after a 200, talk, hang up; $1 = CSeq of the INVITE
	recv 200
	request ACK "$1"
	wait_ms "${2:-2100}"
	RETRANS=' retrans="500"' request BYE $(($1 + 1))
	recv 200
}
answer() {
	response 180 Ringing
	wait_ms 300
	response 200 OK
	hear ACK
	hear BYE
	TOTAG=' ' response 200 OK
}

{ request INVITE 1; recv 100 "$maybe"; recv 180 "$maybe"; talk 1; } |
	scenario "$dir/answered.uac"
{ hear INVITE; answer; } | scenario "$dir/answered.uas"

{ request INVITE 1; recv 486; BRANCH=$first request ACK 1; } |
	scenario "$dir/busy.uac"
{ hear INVITE; response 486 "Busy Here"; hear ACK; } |
	scenario "$dir/busy.uas"

{ request INVITE 1; recv 180; wait_ms 800; recv 480
	BRANCH=$first request ACK 1; } | scenario "$dir/unanswered.uac"
{ hear INVITE; response 180 Ringing; wait_ms 1500
	response 480 "Temporarily Unavailable"; hear ACK; } |
	scenario "$dir/unanswered.uas"

{ request INVITE 1; recv 180; wait_ms 500
	BRANCH=$first request CANCEL 1; recv 200; recv 487
	BRANCH=$first request ACK 1; } | scenario "$dir/cancelled.uac"
{ hear INVITE; response 180 Ringing; hear CANCEL; TOTAG=' ' response 200 OK
	sed 's/\[last_CSeq:\]/CSeq: 1 INVITE/' \
		< <(response 487 "Request Terminated"); hear ACK; } |
	scenario "$dir/cancelled.uas"

# The INVITE goes out again at 500 ms because nobody has answered yet.
{ RETRANS=' retrans="500"' request INVITE 1; recv 100 "$maybe"
	recv 180 "$maybe"; talk 1; } | scenario "$dir/retransmitted.uac"
{ hear INVITE; wait_ms 800; answer; } | scenario "$dir/retransmitted.uas"

{ request INVITE 1; recv 401; BRANCH=$first request ACK 1
	request INVITE 2 'Authorization: Digest username="acme", realm="x", nonce="1", uri="sip:x", response="00000000000000000000000000000000"'
	recv 180 "$maybe"; talk 2; } | scenario "$dir/challenged.uac"
{ hear INVITE
	response 401 Unauthorized 'WWW-Authenticate: Digest realm="x", nonce="1"'
	hear ACK; hear INVITE; answer; } | scenario "$dir/challenged.uas"

n=0
for s in answered busy unanswered cancelled retransmitted challenged; do
	n=$((n + 1))
	play $s +44163296020$n
done
sleep 0.5
kill -INT "$dump"
wait "$dump" 2>/dev/null

invites=$(tcpdump -nr "$dir/lo.pcap" -A 2>/dev/null | grep -c 'INVITE sip:')
check "the capture has a repeated INVITE ($invites)" [ "$invites" -ge 8 ]
timeout 30 "$t" decode --calls --json "$dir/lo.pcap" >"$dir/json"
same "six calls" 6 "$(wc -l <"$dir/json")"
# number, answered?, final status of those that were not, whole seconds up
jq -r '[.callee, .answer != null,
	(if .answer then "" else .status end),
	(if .answer then ((.end | sub("\\..*"; "Z") | fromdate) -
		(.answer | sub("\\..*"; "Z") | fromdate)) >= 2 else "" end)]
	| @tsv' "$dir/json" | sort >"$dir/got"
printf '%s\t%s\t%s\t%s\n' \
	+441632960201 true '' true +441632960202 false 486 '' \
	+441632960203 false 480 '' +441632960204 false 487 '' \
	+441632960205 true '' true +441632960206 true '' true >"$dir/want"
diff "$dir/want" "$dir/got"
check "each became what it was" cmp -s "$dir/want" "$dir/got"
same "the challenged one says so" true \
	"$(jq -r 'select(.callee == "+441632960206") |
		.flags | tostring | test("challenged")' "$dir/json")"
finish
