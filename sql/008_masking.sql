-- SPDX-License-Identifier: Apache-2.0
-- What others wrote, made fit for a wall screen before it is stored.

set local role tollwatch_writer;

-- 'Frip Finishing' -> 'F*** F***'
create function fact.initials(p_name text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select regexp_replace(p_name, '(\w)\w*', '\1***', 'g');
$$;

-- Addresses, and any seven digits that belong together, are taken out.
create function fact.mask(p_text text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select regexp_replace(regexp_replace(p_text,
		'[^[:space:]<>"'']+@[^[:space:]<>"'']+', '[address]', 'g'),
		'\+?\d([[:space:]().-]{0,2}\d){6,}', '[number]', 'g');
$$;

-- One line of a timeline: what happened, without people and their words.
create function fact.sentence(f jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select case f->>'kind'
	when 'opened' then format('opened: %s %s, %s',
		f->>'severity', f->>'family', f->>'subject')
	when 'finding' then format('%s %s: %s, £%s so far',
		f#>>'{finding,rule}', f#>>'{finding,name}',
		f#>>'{finding,severity}', f#>>'{finding,exposure_gbp}')
	when 'queued' then format('page %s by %s: %s',
		f->>'page', f->>'channel', f->>'reason')
	when 'attempt' then format('page %s: %s%s', f->>'page', f->>'state',
		': ' || nullif(fact.mask(f->>'error'), ''))
	when 'step' then format('escalation step %s', (f->>'step')::bigint + 1)
	when 'acked' then 'acknowledged' || coalesce(to_char(
		(f->>'until')::timestamptz at time zone 'UTC',
		'" until "HH24:MI" UTC"'), '')
	when 'ack-expired' then 'acknowledgement ran out'
	when 'escalated' then 'next step asked for'
	when 'nobody' then 'nobody could be told'
		|| coalesce(': ' || nullif(fact.mask(f->>'error'), ''), '')
	when 'resolved' then 'resolved' || coalesce(': ' || (f->>'verdict'), '')
	else coalesce(fact.mask(f->>'kind'), 'unknown')
	end;
$$;
