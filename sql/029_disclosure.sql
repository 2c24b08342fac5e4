-- SPDX-License-Identifier: Apache-2.0
-- Seeing personal data takes two steps, in two transactions:
--
--   api.disclose_request(token, incident, fields, purpose, reason)
--       decides, writes the event and a ticket        -> code, ticket
--   COMMIT
--   api.disclose(token, ticket)
--       shows what the ticket says, for a minute      -> rows, or a code
--
-- With one step, "begin; look; rollback" would leave no trace.  And nothing is
-- shown before the ticket's commit is on disk (access.durable).
--
-- Refusals are codes and never errors: an error would undo the event of them.

set local role tollwatch_access;

create table access.ticket (
	id bigint generated always as identity primary key,
	staff bigint not null,
	handle text not null,
	incident bigint not null,
	fields text[] not null check (cardinality(fields) > 0),
	purpose text not null,
	authority text not null,
	at timestamptz not null default clock_timestamp(),
	expires_at timestamptz not null,
	made_by xid8 not null default pg_current_xact_id(),
	shown_at timestamptz,
	shown_by xid8,
	check (expires_at <= at + interval '10 minutes'),
	check (num_nulls(shown_at, shown_by) <> 1)
);
create index ticket_staff on access.ticket (staff, at);
create index ticket_seen on access.ticket (incident, staff) where shown_at is not null;

-- One row for each person, taken by each request: two at once would not count
-- each other, nor would one with a snapshot from before.
create table access.pace (
	staff bigint primary key,
	requests bigint not null default 0
);
-- What they asked for in the last hour, so that counting stays short.
create table access.look (
	staff bigint not null,
	incident bigint not null,
	last_at timestamptz not null,
	primary key (staff, incident)
);

-- About a feed, or about ourselves: no customer is behind it.
create function access.is_ours(p_incident bigint) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (select i.family <> 'feed' and i.account is not null
		and i.subject !~ '^(feed|platform|self)(:|$)'
		from core.incident i where i.id = p_incident) is not true);
end
$$;

create function access.fields_ok(p_incident bigint, p_fields text[])
returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (cardinality(p_fields) between 1 and 7
		and array_ndims(p_fields) = 1
		and array_position(p_fields, null) is null
		and p_fields <@ case when access.is_ours(p_incident)
			then array['source', 'trunk']
			else array['account', 'account_name', 'trunk', 'source',
				'key', 'callee', 'calls'] end) is true);
end
$$;

-- The same at the door of whatever is done with an incident: who it is, and
-- by what right they are here.
create function access.entry(p_token bytea, p_incident bigint, p_age interval,
	out code text, out staff bigint, out handle text, out authority text)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token, 'oncall', p_age);
	code := case coalesce(w.code, 'no_session') when 'not_role'
		then 'not_oncall' else coalesce(w.code, 'no_session') end;
	staff := w.staff;
	handle := w.handle;
	if code <> 'ok' then
		return;
	end if;
	authority := access.authority(staff, handle, p_incident);
	code := case
	when staff is null or handle is null then 'no_session'
	when (select exists (select from core.incident i
		where i.id = p_incident)) is not true then 'unknown_incident'
	when access.is_open(staff, handle, p_incident) is not true then 'closed'
	when authority is null then 'not_on_shift'
	else 'ok' end;
end
$$;

create function access.purpose_code(p_incident bigint, p_purpose text)
returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select case
	when (p_purpose in ('triage', 'customer_contact', 'evidence',
		'maintenance')) is not true then 'bad_purpose'
	when p_purpose = 'maintenance' and (select access.agreed(i.account)
		from core.incident i where i.id = p_incident) is null
		then 'no_agreement'
	else 'ok' end);
end
$$;

-- How many customers, feeds... this person asked for in the last hour, with
-- this one.
create function access.subjects(p_staff bigint, p_incident bigint)
returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select count(distinct i.subject)
	from core.incident i where i.id = p_incident or i.id in (
		select k.incident from access.look k where k.staff = p_staff
			and k.last_at > clock_timestamp() - interval '1 hour'));
end
$$;

create function access.rate_code(p_staff bigint, p_handle text,
	p_incident bigint) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	n bigint;
begin
	insert into access.pace as p (staff, requests) values (p_staff, 1)
		on conflict (staff) do update set requests = p.requests + 1;
	n := access.subjects(p_staff, p_incident);
	if (n <= access.number('subjects_an_hour_refused')) is not true then
		return 'rate_limit';
	end if;
	if (n < access.number('subjects_an_hour_alarm')) is not true then
		perform access.tell('mass_disclosure', p_incident, p_handle,
			format('%s looked into %s customers or feeds within an hour',
				p_handle, n),
			jsonb_build_object('subjects', n),
			format('mass_disclosure %s %s', p_staff,
				date_trunc('hour', clock_timestamp() at time zone 'UTC')));
	end if;
	insert into access.look as k (staff, incident, last_at)
		values (p_staff, p_incident, clock_timestamp())
		on conflict (staff, incident) do update set
		last_at = excluded.last_at;
	delete from access.look k where k.staff = p_staff
		and k.last_at < clock_timestamp() - interval '1 hour';
	return 'ok';
end
$$;

create function api.disclose_request(p_token bytea, p_incident bigint,
	p_fields text[], p_purpose text, p_reason text)
returns table (code text, ticket bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
begin
	select * into e from access.entry(p_token, p_incident,
		access.span('disclose_age'));
	code := e.code;
	if code = 'ok' then
		code := access.purpose_code(p_incident, p_purpose);
	end if;
	if code = 'ok' and access.reason_ok(p_reason) is not true then
		code := 'bad_reason';
	end if;
	if code = 'ok' and access.fields_ok(p_incident, p_fields) is not true then
		code := 'bad_fields';
	end if;
	if code = 'ok' then
		code := access.rate_code(e.staff, e.handle, p_incident);
	end if;
	if code = 'ok' then
		insert into access.ticket as t (staff, handle, incident, fields,
			purpose, authority, expires_at)
		values (e.staff, e.handle, p_incident, p_fields, p_purpose,
			e.authority,
			clock_timestamp() + access.span('ticket_life'))
		returning t.id into ticket;
	end if;
	perform audit.append('disclose_request', code, e.handle, p_incident,
		ticket, e.authority,
		p_purpose => case when p_purpose in ('triage',
			'customer_contact', 'evidence', 'maintenance')
			then p_purpose end,
		p_fields => case when access.fields_ok(p_incident, p_fields)
			then p_fields end,
		p_words => left(p_reason, 500));
	return next;
end
$$;
grant execute on function api.disclose_request(bytea, bigint, text[], text, text)
	to tollwatch_console;
comment on function api.disclose_request(bytea, bigint, text[], text, text) is
	'First step: may this person see these fields, and why; commit before the second.';

-- Whole numbers of the calls that prove it, each call once, by set-up.
create function access.calls_of(p_incident bigint) returns table (n integer,
	at timestamptz, callee text, line text)
language sql stable set search_path = pg_catalog, pg_temp as $$
	select (row_number() over (order by c.setup_at, c.finding, c.n))::integer,
		c.setup_at, access.shown(c.callee),
		concat_ws(' ', c.country,
			coalesce((c.end_at - c.answer_at)::text,
				case when c.answer_at is null then 'no answer' end),
			'£' || round(c.cost_gbp, 2),
			case when c.live then 'up' end)
	from (select distinct on (coalesce(e.call_key,
			e.finding || '.' || e.n)) e.*
		from core.finding f
			join core.evidence_call e on e.finding = f.id
		where f.incident = p_incident
		order by coalesce(e.call_key, e.finding || '.' || e.n),
			e.finding desc) c;
$$;

create function access.values_of(p_incident bigint, p_fields text[])
returns table (field text, n integer, at timestamptz, value text)
language sql stable set search_path = pg_catalog, pg_temp as $$
	select v.field, 1, null::timestamptz, v.value
	from core.incident i, lateral (values
		('account', i.account), ('account_name', i.account_name),
		('trunk', i.trunk),
		('source', substring(i.subject from '^feed:(.*)$'))) v(field, value)
	where i.id = p_incident and v.field = any (p_fields)
	union all
	select 'key', (row_number() over (order by f.id))::integer, f.at,
		coalesce(split_part(f.key, ':', 1) || ':' || access.shown(
			nullif(substring(f.key from '^[^:]*:(.*)$'), '')),
			access.shown(f.key))
	from core.finding f
	where f.incident = p_incident and 'key' = any (p_fields)
	union all
	select 'callee', c.n, c.at, c.callee
	from access.calls_of(p_incident) c where 'callee' = any (p_fields)
	union all
	select 'calls', c.n, c.at, c.line
	from access.calls_of(p_incident) c where 'calls' = any (p_fields);
$$;

create function api.disclose(p_token bytea, p_ticket bigint)
returns table (code text, field text, n integer, at timestamptz, value text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	lsn pg_lsn := pg_current_wal_insert_lsn(); -- before all else
	w record;
	t access.ticket;
	said text;
begin
	select * into w from authn.who(p_token, 'oncall',
		access.span('disclose_age'));
	said := case coalesce(w.code, 'no_session') when 'not_role'
		then 'not_oncall' else coalesce(w.code, 'no_session') end;
	select * into t from access.ticket o where o.id = p_ticket;
	if said = 'ok' then
		said := case
		when t.id is null then 'unknown_ticket'
		when (t.staff = w.staff) is not true then 'not_yours'
		when (t.made_by <> pg_current_xact_id()
			and pg_xact_status(t.made_by) = 'committed') is not true
			then 'not_committed'
		when (clock_timestamp() < t.expires_at) is not true
			then 'expired_ticket'
		when access.is_open(w.staff, w.handle, t.incident) is not true
			then 'closed'
		when access.authority(w.staff, w.handle, t.incident) is null
			then 'not_on_shift'
		else access.purpose_code(t.incident, t.purpose) end;
	end if;
	if said = 'ok' and access.fields_ok(t.incident, t.fields) is not true then
		said := 'bad_fields';
	end if;
	if said = 'ok' and access.durable(lsn,
			access.span('flush_wait')) is not true then
		said := 'not_durable';
	end if;
	if (said = 'ok') is not true then
		perform audit.append('disclose', said, w.handle, t.incident,
			p_ticket);
		return query select said, null::text, null::integer,
			null::timestamptz, null::text;
		return;
	end if;
	update access.ticket o set shown_at = clock_timestamp(),
		shown_by = pg_current_xact_id()
	where o.id = t.id and o.shown_at is null;
	return query select said, v.field, v.n, v.at, v.value
		from access.values_of(t.incident, t.fields) v
		order by array_position(t.fields, v.field), v.n;
	if not found then
		return query select said, null::text, null::integer,
			null::timestamptz, null::text;
	end if;
end
$$;
grant execute on function api.disclose(bytea, bigint) to tollwatch_console;
comment on function api.disclose(bytea, bigint) is
	'Second step: what a committed ticket says, or one row with a code; not_durable: once more.';

-- The ticket by which this person was shown the evidence of this incident, in
-- a transaction that is over; null: they were not.
create function access.seen(p_staff bigint, p_incident bigint) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select t.id from access.ticket t
	where t.incident = p_incident and t.staff = p_staff
		and t.shown_at is not null
		and t.shown_by <> pg_current_xact_id()
		and t.made_by <> pg_current_xact_id()
		and t.fields && case when access.is_ours(p_incident)
			then array['source', 'trunk']
			else array['callee', 'calls'] end
	order by t.shown_at limit 1);
end
$$;

create function api.incident_id(p_token bytea, p_ref bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	if (w.code = 'ok' and w.roles && array['oncall', 'manager', 'dpo']) is not true then
		return null;
	end if;
	return (select max(i.id) from core.incident i where i.ref = p_ref);
end
$$;
grant execute on function api.incident_id(bytea, bigint)
	to tollwatch_console, tollwatch_dpo;
comment on function api.incident_id(bytea, bigint) is
	'The newest incident that people call by this number; null: none.';

-- Masked.  On call: all while on shift, else those in their hands.
create function api.incidents(p_token bytea) returns table (code text,
	id bigint, ref bigint, severity text, state text, family text,
	title text, account_masked text, opened_at timestamptz, acked_by text,
	exposure_gbp numeric, calls bigint, live_calls bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	all_of_them boolean;
begin
	select * into w from authn.who(p_token);
	code := coalesce(w.code, 'no_session');
	if code = 'ok' and (w.roles && array['oncall', 'manager', 'dpo']) is not true then
		code := 'not_role';
	end if;
	if code <> 'ok' then
		return next;
		return;
	end if;
	all_of_them := (w.roles && array['manager', 'dpo']) is true
		or access.on_shift(w.handle) is not null;
	return query select 'ok'::text, i.id, i.ref, i.severity, i.state,
		i.family, i.title, i.account_masked, i.opened_at, i.acked_by,
		i.exposure_gbp, i.calls, i.live_calls
	from core.incident i
	where (i.state <> 'resolved' or i.resolved_at
			+ access.span('closed_grace') > clock_timestamp())
		and (all_of_them or access.authority(w.staff, w.handle, i.id)
			is not null)
	order by i.opened_at desc, i.id desc limit 200;
end
$$;
grant execute on function api.incidents(bytea) to tollwatch_console;
comment on function api.incidents(bytea) is 'Incidents of now, masked.';

reset role;

comment on table access.ticket is 'Who may see what of which incident, for a minute; kept to prove who was shown what.';
comment on column access.ticket.id is 'Key [class: operational; keep: 13 months]';
comment on column access.ticket.staff is 'authn.staff.id [class: operational; keep: 13 months]';
comment on column access.ticket.handle is 'Whose [class: personal; keep: 13 months]';
comment on column access.ticket.incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column access.ticket.fields is 'What is to be shown [class: operational; keep: 13 months]';
comment on column access.ticket.purpose is 'Why, of a fixed list [class: operational; keep: 13 months]';
comment on column access.ticket.authority is 'By what right: shift 3 [class: operational; keep: 13 months]';
comment on column access.ticket.at is 'When it was asked for [class: operational; keep: 13 months]';
comment on column access.ticket.expires_at is 'Shows nothing any more from then on [class: operational; keep: 13 months]';
comment on column access.ticket.made_by is 'Transaction it was asked for in [class: operational; keep: 13 months]';
comment on column access.ticket.shown_at is 'First shown [class: operational; keep: 13 months]';
comment on column access.ticket.shown_by is 'Transaction of that [class: operational; keep: 13 months]';
comment on table access.pace is 'So that one person''s requests are counted one after the other.';
comment on column access.pace.staff is 'authn.staff.id [class: operational; keep: as long as the person is staff]';
comment on column access.pace.requests is 'Requests that came so far [class: operational; keep: as long as the person is staff]';
comment on table access.look is 'Which incidents each person asked for in the last hour.';
comment on column access.look.staff is 'authn.staff.id [class: operational; keep: 1 h, to the next request]';
comment on column access.look.incident is 'core.incident.id [class: operational; keep: 1 h, to the next request]';
comment on column access.look.last_at is 'When, last [class: operational; keep: 1 h, to the next request]';
