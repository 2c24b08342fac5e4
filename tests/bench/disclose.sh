#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# disclose.sh [SECONDS]: audited disclosures a second, by eight persons at
# once: request, commit, look, commit, each commit on disk (fsync as it is).
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
. tests/support/session.sh
seconds=${1:-5} clients=8
# Not where a test's database is otherwise: /tmp may be memory, whose fsync
# costs nothing.
mkdir -p "$bin" && disk=$(mktemp -d "$bin/disclose.XXXXXX")
chmod 711 "$disk"
trap 'cleanup; rm -rf "$disk"' EXIT
case $(stat -f -c %T "$disk") in tmpfs | ramfs) where=memory ;; *) where=disk ;; esac
[ -x "$pg_bin/pgbench" ] || { echo "skip disclose: no pgbench"; exit 0; }
if [ "$(id -u)" = 0 ] && ! "${pg_as[@]}" test -x "$disk"; then
	where="$(stat -f -c %T /tmp), /tmp"
else
	pg_dir=$disk/pg
fi
pg_new && "$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1 || {
	echo "not ok disclose: $(tail -1 "$dir/migrate")"
	exit 1
}
sql tollwatch_alerter "select alerter.apply('b', 1, '{\"facts\": [
	{\"kind\": \"opened\", \"at\": \"2026-01-17T02:24:00Z\", \"ref\": 1, \"id\": \"b1\",
	\"family\": \"toll\", \"subject\": \"account:acme\", \"account\": \"acme\",
	\"severity\": \"critical\"},
	{\"kind\": \"finding\", \"at\": \"2026-01-17T02:24:00Z\", \"ref\": 1,
	\"finding\": {\"id\": \"b1\", \"rule\": \"R01\", \"severity\": \"critical\"},
	\"calls\": [{\"key\": \"01\", \"callee\": \"+252907700001\", \"country\": \"SO\",
	\"setup\": \"2026-01-17T02:22:00Z\", \"cost_gbp\": \"2.70\", \"live\": true}]}]}')" >/dev/null
id=$(sql postgres "select id from core.incident")
shifts=""
for n in $(seq 0 $((clients - 1))); do
	person "p$n" human oncall
	shifts="$shifts, jsonb_build_object('person', 'p$n', 'from',
		now() - interval '1 hour', 'until', now() + interval '1 day')"
done
sql tollwatch_alerter "select alerter.shifts(encode(sha256('b'), 'hex'),
	jsonb_build_array(${shifts#,}))" >/dev/null
cat >"$dir/pair.sql" <<END
select ticket from api.disclose_request($(token_of_client), $id, array['callee', 'account'], 'triage', 'who is called, and is it theirs?') \gset
select value from api.disclose($(token_of_client), :ticket);
END
"$pg_bin/pgbench" -n -h "$pg_sock" -U tollwatch_console -c $clients -j 2 -T "$seconds" \
	-f "$dir/pair.sql" tollwatch >"$dir/bench" 2>&1 || {
	cat "$dir/bench"
	exit 1
}
# What was measured must have been shown: a ticket each, all looked at.
shown=$(sql postgres "select count(*) from access.ticket where shown_at is not null")
done=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$dir/bench")
[ "${done:-0}" -gt 0 ] && [ "$shown" -ge "$done" ] || {
	echo "not ok disclose: $done pairs, $shown shown"
	exit 1
}
tps=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$dir/bench")
[ "$tps" -ge 250 ] && enough="" || enough="; 250 are wanted"
echo "disclosures: $tps a second, each audited and on disk before it is shown" \
	"($clients persons, fsync on, $where$enough)"
