#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# audit.sh [EVENTS]: how long audit verify takes for a log of so many events,
# out of a database, and from a file of rows; 1 M in 15 s is wanted.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
events=${1:-1000000}
pg_new && "$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1 || {
	echo "not ok audit: $(tail -1 "$dir/migrate")"
	exit 1
}
# Sealed here as audit.seal would, but without a trigger for each: what is
# the same in every row is encoded once.
"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$pg_sock" -U postgres -d tollwatch >"$dir/o" 2>&1 <<END || {
begin;
alter event trigger audit_ddl disable;
alter event trigger audit_dropped disable;
alter table audit.event disable trigger all;
insert into audit.event (stream, at, actor, login, action, code, incident, ticket,
	authority, subject, purpose, fields, words_hash, detail)
select (array['access', 'alerter', 'auditor', 'dpo'])[1 + i % 4],
	timestamptz '2026-01-17T02:24:00Z' + i * interval '1.000007 s', 'alex',
	'tollwatch_console', 'disclose_request', 'ok', 4711, 815, 'shift 17', 'account acme',
	'triage', 'account,callee', sha256('x'), 'as it was asked at the console'
from generate_series(1, $events) i;
create index bench on audit.event (stream, id);
do \$\$
declare
	s text;
	e record;
	h bytea;
	n bigint;
	sealed bytea;
	rest bytea := audit.field('alex') || audit.field('tollwatch_console')
		|| audit.field('disclose_request') || audit.field('ok') || audit.field(4711::bigint)
		|| audit.field(815::bigint) || audit.field('shift 17') || audit.field('account acme')
		|| audit.field('triage') || audit.field('account,callee')
		|| audit.field(sha256('x')) || audit.field('as it was asked at the console');
	stream bytea;
	eight bytea := int4send(8);
begin
	foreach s in array array['access', 'alerter', 'auditor', 'dpo'] loop
		h := audit.genesis(s);
		n := 0;
		stream := audit.field(s);
		for e in select v.id, (extract(epoch from v.at) * 1000000)::bigint as us
			from audit.event v where v.stream = s order by v.id
		loop
			n := n + 1;
			sealed := sha256('\x0054574155443100000020'::bytea || h || stream
				|| eight || int8send(n) || eight || int8send(e.id)
				|| eight || int8send(e.us) || rest);
			insert into audit.link values (s, n, e.id, h, sealed);
			h := sealed;
		end loop;
		insert into audit.head values (s, n, h);
	end loop;
end
\$\$;
drop index audit.bench;
alter table audit.event enable always trigger event_sealed;
alter table audit.event enable always trigger event_append_only;
commit;
analyze audit.event, audit.link;
END
	echo "not ok audit: $(tail -3 "$dir/o")"
	exit 1
}
"$bin/tollwatch" audit key --out "$dir/keys" >/dev/null
mkdir "$dir/a"
as="host=$pg_sock user=tollwatch_checkpoint dbname=tollwatch"
"$bin/tollwatch" audit checkpoint --key "$dir/keys/checkpoint.key" --to "$dir/a" \
	--one-place --dsn "$as" >"$dir/o" 2>&1 || {
	echo "not ok audit: $(cat "$dir/o")"
	exit 1
}
verify() { # WHAT OPTION...
	local seconds peak proven
	/usr/bin/time -f '%e %M' -o "$dir/took" "$bin/tollwatch" audit verify \
		--pub "$dir/keys/checkpoint.pub" --checkpoints "$dir/a" "${@:2}" >"$dir/o" 2>&1 || {
		echo "not ok audit: $(head -3 "$dir/o")"
		exit 1
	}
	read -r seconds peak <"$dir/took"
	proven=$(sed -n 's/^all right: \([0-9]*\) events proven$/\1/p' "$dir/o")
	[ "${proven:-0}" -ge "$events" ] || {
		echo "not ok audit: $(tail -1 "$dir/o")"
		exit 1
	}
	echo "audit verify, $1: $proven events proven in $seconds s, $((peak / 1024)) MB"
	awk "BEGIN { exit !($seconds * 1000000 / $events <= 15) }" || {
		echo "not ok audit: 15 s for a million are wanted"
		exit 1
	}
}
verify "database" --dsn "$as" --save "$dir/rows"
verify "file of $(($(stat -c %s "$dir/rows") / 1000000)) MB" --rows "$dir/rows"
