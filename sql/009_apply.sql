-- SPDX-License-Identifier: Apache-2.0
-- One entry of the outbox, with all its facts, once:
--
--   alerter.apply(stream, position, entry)
--     position <= mark  ->  false, nothing done: it was applied before
--     else each fact    ->  fact.<kind>(...), a row of the timeline
--     mark := position  ->  true
--
-- What alerter/fact.c writes is what is read here.  A kind that is not known
-- goes to the timeline alone, so that an older database loses nothing.

set local role tollwatch_writer;

create function fact.incident_of(p_stream text, f jsonb) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
	select i.id from core.incident i
	where i.stream = p_stream and i.ref = (f->>'ref')::bigint;
$$;

create function fact.delivery_of(p_stream text, f jsonb) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
	select d.id from core.delivery d
	where d.stream = p_stream and d.page = (f->>'page')::bigint;
$$;

create function fact.opened(p_stream text, f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	insert into core.incident (stream, ref, finding, family, subject, account,
		account_name, account_masked, severity, opened_at)
	values (p_stream, (f->>'ref')::bigint, coalesce(f->>'id', ''),
		coalesce(f->>'family', ''), coalesce(f->>'subject', ''),
		f->>'account', f->>'account_name',
		fact.initials(f->>'account_name'),
		coalesce(f->>'severity', 'warning'), p_at)
	on conflict (stream, ref) do nothing;
$$;

-- The incident shows the latest finding of its highest severity; what it cost
-- never goes down because a narrower rule joins.
create function fact.joined(p_incident bigint, g jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set
		findings = i.findings + 1,
		severity = case when g->>'severity' = 'critical' then 'critical'
			else i.severity end,
		first_call_at = least(i.first_call_at, (g->>'first_call')::timestamptz)
	where i.id = p_incident;

	update core.incident i set
		rule = g->>'rule', title = g->>'name',
		first_action = g->>'first_action',
		trunk = coalesce(g->>'trunk', i.trunk),
		top_country = coalesce(g#>>'{countries,0,country}', i.top_country),
		config_version = g->>'config'
	where i.id = p_incident
		and (i.rule is null or g->>'severity' = i.severity);

	update core.incident i set
		exposure_at = p_at,
		exposure_gbp = coalesce((g->>'exposure_gbp')::numeric, 0),
		exposure_retail_gbp = coalesce((g->>'exposure_retail_gbp')::numeric, 0),
		burn_gbp_min = coalesce((g->>'burn_gbp_min')::numeric, 0),
		projection_gbp = coalesce((g->>'projection_gbp')::numeric, 0),
		calls = coalesce((g->>'calls')::bigint, 0),
		live_calls = coalesce((g->>'live_calls')::bigint, 0)
	where i.id = p_incident
		and coalesce((g->>'exposure_gbp')::numeric, 0) >= i.exposure_gbp;
$$;

create function fact.finding(p_incident bigint, f jsonb, p_at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	g jsonb := f->'finding';
	row_id bigint;
begin
	if p_incident is null or g is null or jsonb_typeof(g) <> 'object' then
		return;
	end if;
	insert into core.finding (incident, finding, at, rule, title, severity,
		key, spend_gbp, exposure_gbp, calls, config_version,
		rates_version, detail)
	values (p_incident, coalesce(g->>'id', ''),
		coalesce((g->>'time')::timestamptz, p_at), g->>'rule', g->>'name',
		g->>'severity', g->>'key', (g->>'spend_gbp')::numeric,
		(g->>'exposure_gbp')::numeric, (g->>'calls')::bigint,
		g->>'config', g->>'rates', g)
	on conflict (incident, finding) do nothing
	returning id into row_id;
	if row_id is null then
		return; -- told twice: the first stays
	end if;
	insert into core.evidence_call (finding, n, call_key, setup_at, answer_at,
		end_at, cost_gbp, callee, country, live)
	select row_id, c.n, c.v->>'key', (c.v->>'setup')::timestamptz,
		(c.v->>'answer')::timestamptz, (c.v->>'end')::timestamptz,
		(c.v->>'cost_gbp')::numeric, c.v->>'callee', c.v->>'country',
		(c.v->>'live')::boolean
	from jsonb_array_elements(case when jsonb_typeof(f->'calls') = 'array'
		then f->'calls' else '[]' end) with ordinality c(v, n);
	perform fact.joined(p_incident, g, p_at);
end
$$;

create function fact.exposure(p_incident bigint, f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set
		exposure_at = p_at,
		exposure_gbp = coalesce((f->>'exposure_gbp')::numeric, 0),
		exposure_retail_gbp = coalesce((f->>'exposure_retail_gbp')::numeric, 0),
		burn_gbp_min = coalesce((f->>'burn_gbp_min')::numeric, 0),
		projection_gbp = coalesce((f->>'projection_gbp')::numeric, 0),
		calls = coalesce((f->>'calls')::bigint, 0),
		live_calls = coalesce((f->>'live_calls')::bigint, 0)
	where i.id = p_incident;
$$;

create function fact.queued(p_stream text, p_incident bigint, f jsonb, p_at timestamptz)
returns void
language sql set search_path = pg_catalog, pg_temp as $$
	insert into core.delivery (stream, page, incident, person, channel, target,
		reason, run, step, exposure_gbp_at_page, queued_at, due_at)
	values (p_stream, (f->>'page')::bigint, p_incident, f->>'person',
		coalesce(f->>'channel', ''), f->>'target',
		coalesce(f->>'reason', ''), (f->>'run')::integer,
		(f->>'step')::integer, (f->>'exposure_at_page')::numeric, p_at,
		(f->>'due')::timestamptz)
	on conflict (stream, page) do nothing;

	update core.incident i set
		first_page_at = coalesce(i.first_page_at, p_at),
		exposure_gbp_at_first_page = coalesce(i.exposure_gbp_at_first_page,
			(f->>'exposure_at_page')::numeric),
		exposure_gbp_at_page = (f->>'exposure_at_page')::numeric
	where i.id = p_incident;
$$;

create function fact.attempt(p_delivery bigint, f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	insert into core.delivery_attempt (delivery, attempt, at, state, due_at, error)
	select p_delivery, coalesce((f->>'attempt')::integer, 0), p_at,
		coalesce(f->>'state', ''), (f->>'due')::timestamptz, f->>'error'
	where p_delivery is not null;

	update core.delivery d set
		state = coalesce(f->>'state', d.state),
		attempts = greatest(d.attempts, (f->>'attempt')::integer),
		due_at = (f->>'due')::timestamptz,
		sent_at = case when f->>'state' = 'sent'
			then coalesce(d.sent_at, p_at) else d.sent_at end,
		delivered_at = case when f->>'state' = 'delivered'
			then p_at else d.delivered_at end,
		error = f->>'error',
		error_masked = fact.mask(f->>'error')
	where d.id = p_delivery;
$$;

create function fact.acked(p_incident bigint, f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set
		state = 'acknowledged',
		first_acked_at = coalesce(i.first_acked_at, p_at),
		acked_at = p_at,
		acked_by = f->>'person',
		ack_until = (f->>'until')::timestamptz,
		note = coalesce(f->>'note', i.note)
	where i.id = p_incident and i.state <> 'resolved';
$$;

create function fact.ack_expired(p_incident bigint) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set state = 'open', ack_until = null
	where i.id = p_incident and i.state = 'acknowledged';
$$;

create function fact.stepped(p_incident bigint, f jsonb) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set
		run = coalesce((f->>'run')::integer, i.run),
		step = (f->>'step')::integer
	where i.id = p_incident;
$$;

create function fact.nobody(p_incident bigint, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set nobody_at = p_at where i.id = p_incident;
$$;

create function fact.resolved(p_incident bigint, f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update core.incident i set
		state = 'resolved',
		resolved_at = p_at,
		resolved_by = f->>'person',
		verdict = f->>'verdict',
		ack_until = null,
		note = coalesce(f->>'note', i.note)
	where i.id = p_incident;
$$;

create function fact.dispatch(p_stream text, f jsonb, p_at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	i bigint := fact.incident_of(p_stream, f);
begin
	case f->>'kind'
	when 'opened' then perform fact.opened(p_stream, f, p_at);
	when 'finding' then perform fact.finding(i, f, p_at);
	when 'exposure' then perform fact.exposure(i, f, p_at);
	when 'queued' then perform fact.queued(p_stream, i, f, p_at);
	when 'attempt' then
		perform fact.attempt(fact.delivery_of(p_stream, f), f, p_at);
	when 'step' then perform fact.stepped(i, f);
	when 'acked' then perform fact.acked(i, f, p_at);
	when 'ack-expired', 'escalated' then perform fact.ack_expired(i);
	when 'nobody' then perform fact.nobody(i, p_at);
	when 'resolved' then perform fact.resolved(i, f, p_at);
	else null; -- what we do not know: a line of the timeline
	end case;
end
$$;

-- Exposure comes every ten seconds and replaces the one before: no line each.
create function fact.remember(p_stream text, p_position bigint, p_n bigint,
	f jsonb, p_at timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	insert into core.timeline (stream, position, n, incident, at, kind, person,
		text, detail)
	select p_stream, p_position, p_n::integer, fact.incident_of(p_stream, f),
		p_at, coalesce(f->>'kind', 'unknown'), f->>'person',
		fact.sentence(f),
		(f - array['calls', 'finding', 'target', 'account_name'])
			|| case when f ? 'finding'
			then jsonb_build_object('finding', f#>>'{finding,id}')
			else '{}' end
	where f->>'kind' is distinct from 'exposure';
$$;

create function alerter.apply(p_stream text, p_position bigint, p_entry jsonb)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	mark bigint;
	f jsonb;
	n bigint;
	at timestamptz;
begin
	if p_stream is null or p_position is null or p_entry is null
		or p_position <= 0 then
		raise exception 'apply: stream, position and entry are wanted'
			using errcode = 'invalid_parameter_value';
	end if;
	insert into core.entry_mark (stream, position) values (p_stream, 0)
		on conflict do nothing;
	select m.position into mark from core.entry_mark m
		where m.stream = p_stream for update;
	if p_position <= mark then
		return false;
	end if;
	for f, n in select e.v, e.n
		from jsonb_array_elements(coalesce(p_entry->'facts', '[]'))
			with ordinality e(v, n) order by e.n
	loop
		at := coalesce((f->>'at')::timestamptz, clock_timestamp());
		perform fact.dispatch(p_stream, f, at);
		perform fact.remember(p_stream, p_position, n, f, at);
	end loop;
	update core.entry_mark m set position = p_position,
		entries = m.entries + 1, updated_at = clock_timestamp()
		where m.stream = p_stream;
	return true;
end
$$;
grant execute on function alerter.apply(text, bigint, jsonb) to tollwatch_alerter;
comment on function alerter.apply(text, bigint, jsonb) is
	'Apply one entry of an outbox; false: it had been, nothing done.';
