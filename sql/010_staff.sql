-- SPDX-License-Identifier: Apache-2.0
-- The config's people become the database's:
--   [{"id": "alex", "name": "Alex Example", "login": "alex",
--     "contacts": [{"channel": "email", "target": "...", "after_s": 0}]}]
-- Who is not in it, or is in it otherwise, is closed; the rest stays untouched.

set local role tollwatch_writer;

create function fact.people_of(p_people jsonb)
returns table (handle text, name text, login text, contacts jsonb)
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select v->>'id', coalesce(v->>'name', v->>'id'), nullif(v->>'login', ''),
		coalesce(v->'contacts', '[]')
	from jsonb_array_elements(p_people) v;
$$;

create function fact.contacts_of(p_people jsonb)
returns table (handle text, channel text, target text, after_s integer)
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select distinct p.handle, c->>'channel', c->>'target',
		coalesce((c->>'after_s')::integer, 0)
	from fact.people_of(p_people) p, jsonb_array_elements(p.contacts) c;
$$;

create function alerter.people(p_people jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	at timestamptz := clock_timestamp();
begin
	-- one at a time, or two would both add the same
	perform from core.person o where o.valid_until is null for update;

	update core.person o set valid_until = at
	where o.valid_until is null and not exists (
		select from fact.people_of(p_people) p
		where p.handle = o.handle and p.name = o.name
			and p.login is not distinct from o.login);
	insert into core.person (handle, name, login, valid_from)
	select p.handle, p.name, p.login, at from fact.people_of(p_people) p
	where not exists (select from core.person o
		where o.handle = p.handle and o.valid_until is null);

	update core.contact c set valid_until = at
	where c.valid_until is null and not exists (
		select from core.person o join fact.contacts_of(p_people) k
			on k.handle = o.handle
		where o.id = c.person and o.valid_until is null
			and k.channel = c.channel and k.target = c.target
			and k.after_s = c.after_s);
	insert into core.contact (person, channel, target, after_s, valid_from)
	select o.id, k.channel, k.target, k.after_s, at
	from fact.contacts_of(p_people) k
		join core.person o on o.handle = k.handle and o.valid_until is null
	where not exists (select from core.contact c
		where c.person = o.id and c.valid_until is null
			and k.channel = c.channel and k.target = c.target
			and k.after_s = c.after_s);
end
$$;
grant execute on function alerter.people(jsonb) to tollwatch_alerter;
comment on function alerter.people(jsonb) is
	'Make the config''s people and contacts the current ones.';
