-- SPDX-License-Identifier: Apache-2.0
-- Break-glass: somebody who may be on call and is not now takes an incident
-- for an hour, once longer by an hour.  Others are told at once; another
-- person reviews it by 17:00 of the next working day, and until then it cannot
-- be taken again.  Working days are Monday to Friday in London: a bank holiday
-- is not known here, so a review may be called late on one.

set local role tollwatch_access;

create function access.review_due(p_at timestamptz) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp as $$
	select (min(d.day) + time '17:00') at time zone 'Europe/London'
	from (select ((p_at at time zone 'Europe/London')::date + n) as day
		from generate_series(1, 3) n) d
	where extract(isodow from d.day) < 6;
$$;

-- Another one, or the one of now for longer.
create function access.take(p_staff bigint, p_handle text, p_incident bigint,
	p_reason text, out code text, out "grant" bigint)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	g access."grant";
	more interval := access.span('break_glass_for');
begin
	-- one at a time for each person
	insert into access.pace as p (staff, requests) values (p_staff, 1)
		on conflict (staff) do update set requests = p.requests + 1;
	select * into g from access."grant" o
	where o.staff = p_staff and o.incident = p_incident
		and o.kind = 'break-glass'
	order by o.id desc limit 1;
	if g.id is not null and g.reviewed_at is null
			and g.until <= clock_timestamp() then
		code := 'review_first';
	elsif g.until > clock_timestamp()
			and (g.extended or g.reviewed_at is not null) then
		code := 'extended_before';
	elsif g.until > clock_timestamp() then
		update access."grant" o set until = g.until + more,
			extended = true where o.id = g.id;
		code := 'ok';
		"grant" := g.id;
	else
		insert into access."grant" as o (staff, handle, incident, kind,
			until, given_by, reason, review_due)
		values (p_staff, p_handle, p_incident, 'break-glass',
			clock_timestamp() + more, p_handle, p_reason,
			access.review_due(clock_timestamp()))
		returning o.id into "grant";
		code := 'ok';
	end if;
end
$$;

create function api.break_glass(p_token bytea, p_incident bigint, p_reason text)
returns table (code text, "grant" bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
	t record;
begin
	select * into e from access.entry(p_token, p_incident,
		access.span('act_age'));
	-- who has no right to it now is whom this is for
	code := case when e.code = 'not_on_shift' then 'ok' else e.code end;
	if code = 'ok' and access.is_human(e.staff) is not true then
		code := 'not_human';
	elsif code = 'ok' and access.reason_ok(p_reason) is not true then
		code := 'bad_reason';
	elsif code = 'ok' then
		select * into t from access.take(e.staff, e.handle,
			p_incident, p_reason);
		code := t.code;
		"grant" := t."grant";
	end if;
	if code = 'ok' then
		perform access.tell('break_glass', p_incident, e.handle,
			format('%s took %s by break-glass until %s UTC; review by %s UTC',
				e.handle, access.called(p_incident),
				to_char(g.until at time zone 'UTC', 'HH24:MI'),
				to_char(g.review_due at time zone 'UTC', 'Dy DD Mon HH24:MI')),
			jsonb_build_object('grant', g.id, 'until', g.until,
				'review_due', g.review_due, 'extended', g.extended))
		from access."grant" g where g.id = t."grant";
	end if;
	perform audit.append('break_glass', code, e.handle, p_incident,
		p_authority => 'break-glass ' || "grant",
		p_words => left(p_reason, 500));
	return next;
end
$$;
grant execute on function api.break_glass(bytea, bigint, text)
	to tollwatch_console;
comment on function api.break_glass(bytea, bigint, text) is
	'Take an incident for an hour; told to others at once, reviewed later.';

create function api.review(p_token bytea, p_grant bigint, p_verdict text,
	p_words text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	g access."grant";
	code text;
begin
	select * into w from authn.who(p_token, null, access.span('disclose_age'));
	code := coalesce(w.code, 'no_session');
	if code = 'ok' then
		select * into g from access."grant" o where o.id = p_grant
			and o.kind = 'break-glass' for update;
		code := case
		when (w.roles && array['manager', 'dpo']) is not true then 'not_role'
		when access.is_human(w.staff) is not true then 'not_human'
		when g.id is null then 'unknown_grant'
		when (g.staff <> w.staff and g.handle <> w.handle) is not true
			then 'own'
		when g.reviewed_at is not null then 'done'
		when (p_verdict in ('justified', 'not-justified')) is not true
			then 'bad_verdict'
		when access.reason_ok(p_words) is not true then 'bad_reason'
		else 'ok' end;
	end if;
	if code = 'ok' then
		update access."grant" o set reviewed_by = w.handle,
			reviewed_at = clock_timestamp(), review = p_verdict,
			review_words = p_words,
			until = case when p_verdict = 'justified' then o.until
				else greatest(least(o.until, clock_timestamp()),
					o."from" + interval '1 microsecond') end
		where o.id = g.id;
	end if;
	perform audit.append('review', code, w.handle, g.incident,
		p_authority => 'break-glass ' || p_grant,
		p_subject => g.handle,
		p_words => left(p_words, 500),
		p_detail => case when code = 'ok' then p_verdict end);
	return code;
end
$$;
grant execute on function api.review(bytea, bigint, text, text)
	to tollwatch_console, tollwatch_dpo;
comment on function api.review(bytea, bigint, text, text) is
	'Was a break-glass justified; by another person.  If not, it ends.';

create function api.reviews_due(p_token bytea) returns table (code text,
	"grant" bigint, ref bigint, handle text, reason text,
	"from" timestamptz, until timestamptz, due timestamptz,
	overdue boolean, disclosures bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	code := coalesce(w.code, 'no_session');
	if code = 'ok' and (w.roles && array['manager', 'dpo']) is not true then
		code := 'not_role';
	end if;
	if code <> 'ok' then
		return next;
		return;
	end if;
	return query select 'ok'::text, g.id, i.ref, g.handle, g.reason,
		g."from", g.until, g.review_due,
		g.review_due < clock_timestamp(),
		(select count(*) from access.ticket t
			where t.authority = 'break-glass ' || g.id)
	from access."grant" g left join core.incident i on i.id = g.incident
	where g.kind = 'break-glass' and g.reviewed_at is null
	order by g.review_due, g.id limit 200;
end
$$;
grant execute on function api.reviews_due(bytea)
	to tollwatch_console, tollwatch_dpo;
comment on function api.reviews_due(bytea) is
	'Break-glass that nobody reviewed yet, the oldest first.';

reset role;
