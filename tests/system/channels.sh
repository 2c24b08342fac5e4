#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# E-mail and webhooks of the alerter against receivers that are not ours, and
# the receivers of the sample night against the alerter's channels.
. "$(dirname "$0")/../support/lib.sh"
need jq /usr/bin/python3 openssl
# The packaged module belongs to the packaged interpreter.
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || {
	echo "skip channels: no python3-aiosmtpd"
	exit 0
}
make -s support-build BUILD="${BUILD:-build}" >/dev/null || exit 1
secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw

serve() { # NAME COMMAND...: in the background; its lines in $dir/NAME
	local name=$1
	shift
	"$@" >"$dir/$name" 2>"$dir/$name.err" &
	pids="$pids $!"
	wait_for 10 test -s "$dir/$name" || {
		not_ok "$name starts: $(cat "$dir/$name.err")"
		exit 1
	}
}
receive() { serve "$1" /usr/bin/python3 tests/support/receive.py "${@:2}"; }
port() { head -1 "$dir/$1"; }
send() { timeout 30 "$bin/test/send" "$@"; }
result() { send "$@" | jq -r .result; }
got() { tail -1 "$dir/$1" | jq -r "$2"; } # NAME FILTER
count() { tail -n +2 "$dir/$1" | wc -l; }

# E-mail, plain.
receive smtp smtp
relay=smtp://127.0.0.1:$(port smtp)
text=$'Customer: ACME \xc2\xa3412\n.\n..\nFrom here = there \n'
text+=$(printf 'x%.0s' $(seq 300))
subject=$'ACME: 47 calls to Somalia since 02:24, \xc2\xa3412 and rising, '
subject+='now call the customer'
same "a relay takes it" ok "$(result --relay "$relay" --id inc-7.3 \
	--thread inc-7 --subject "$subject" --text "$text")"
same "no defects" 0 "$(got smtp '.defects | length')"
same "subject" "$subject" "$(got smtp .subject)"
same "text" "$text" "$(got smtp '.text | gsub("\r"; "") | rtrimstr("\n")')"
same "ids" "<inc-7.3@example.com> <inc-7@example.com> <inc-7@example.com>" \
	"$(got smtp '"\(.id) \(.references) \(.reply_to)"')"
same "marks" "auto-generated 1 text/plain" \
	"$(got smtp '"\(.auto) \(.priority) \(.type)"')"
same "one recipient" '["alex@example.com"]' \
	"$(tail -1 "$dir/smtp" | jq -c .to)"
check "short lines" [ "$(got smtp .longest)" -le 78 ]
same "date is now" true \
	"$(got smtp '.date[0:19] + "Z" | fromdate | now - . | fabs < 60')"
names=$(got smtp '.headers | sort | join(" ")')
same "an id cannot add a header" ok "$(result --relay "$relay" \
	--id $'a\r\nBcc: eve@example.com' --thread b --subject $'x\r\nBcc: eve')"
same "the same headers" "$names" "$(got smtp '.headers | sort | join(" ")')"
same "TLS required, not offered" permanent \
	"$(result --relay "$relay" --tls required)"
same "nobody there" temporary "$(result --relay smtp://127.0.0.1:1)"

# STARTTLS and log-in, with a certificate that nobody signed.
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=relay.example.com \
	-keyout "$dir/key" -out "$dir/cert" 2>/dev/null
receive tls smtp "$dir/cert" "$dir/key"
relay=smtp://127.0.0.1:$(port tls)
same "an unknown certificate" permanent \
	"$(result --relay "$relay" --tls required)"
same "nothing was sent" 0 "$(count tls)"
same "try takes what it gets" ok "$(result --relay "$relay" --tls try)"
same "encrypted" true "$(got tls .tls)"
receive login smtp "$dir/cert" "$dir/key" tollwatch "pass word"
relay=smtp://127.0.0.1:$(port login)
same "no password without a valid certificate" permanent "$(result --relay \
	"$relay" --tls try --user tollwatch --password "pass word")"
same "log-in wanted" permanent "$(result --relay "$relay" --tls try)"
same "nothing was sent" 0 "$(count login)"

# Webhooks.
receive http http $secret
url=http://127.0.0.1:$(port http)/x
body='{"type":"incident.opened","data":{"ref":7,"who":"Zo\u00eb"}}'
same "a webhook" ok "$(result --url "$url" --secret $secret --id inc-7.3 \
	--json "$body")"
same "both signatures hold" "true true false" \
	"$(got http '"\(.signed) \(.hub) \(.late)"')"
same "its body" "7 application/json" "$(got http '"\(.body.data.ref) \(.type)"')"
same "another secret" permanent "$(result --url "$url" \
	--secret whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX)"
same "a new secret beside the old" ok "$(result --url "$url" --id inc-7.4 \
	--secret "$secret whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")"
same "a private address" permanent \
	"$(result --url "$url" --secret $secret --private no)"

# Ours: what they say of each, and that a repeat is told once.
sink() { # NAME OPTION...
	serve "$1" "$bin/test/sink" --smtp --webhook --secret $secret "${@:2}"
	relay=$(head -1 "$dir/$1" | jq -r .smtp)
	url=$(head -1 "$dir/$1" | jq -r .webhook)
}
told() { [ "$(count "$1")" -ge 1 ]; }
mail() { result --relay "$relay" "$@"; }
hook() { result --url "$url" --secret $secret "$@"; }
sink well
same "sink: mail" "ok ok" "$(mail --id a --subject "$subject" --text "$text") \
$(mail --id a --subject "$subject" --text "$text")"
same "sink: hook" "ok ok" "$(hook --id b --json "$body") \
$(hook --id b --json "$body")"
same "told once" 2 "$(count well)"
same "as it was" "$subject$text" "$(tail -2 "$dir/well" | head -1 |
	jq -r '.subject + (.text | rtrimstr("\n"))')"
same "verified" "true 7 b" "$(got well '"\(.verified) \(.ref) \(.id)"')"
secret2=whsec_AAECAwQFBgcICQoLDA0ODxAREHMUFRYX
same "sink: not signed" permanent "$(result --url "$url" --secret $secret2)"
same "told so" false "$(got well .verified)"

for how in "4xx:1 temporary permanent" "5xx:1 permanent temporary" \
	"reset:1 temporary temporary" "close:1 temporary temporary" \
	"slow:2s:1 temporary temporary" "429:1 temporary temporary"; do
	read -r fail mail hook <<<"$how"
	sink "mail-$fail" --fail "$fail"
	same "mail $fail" "$mail ok" "$(mail --timeout 1) $(mail)"
	sink "hook-$fail" --fail "$fail"
	same "hook $fail" "$hook ok" "$(hook --timeout 1) $(hook)"
	wait_for 3 told "mail-$fail"
	same "told once, $fail" "1 1" \
		"$(count "mail-$fail") $(count "hook-$fail")"
done
finish
