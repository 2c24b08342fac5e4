-- SPDX-License-Identifier: Apache-2.0
-- An action is one of the config's ("bar international on this account"): a
-- signed webhook to the provider's own tooling.  Tollwatch takes none by
-- itself.  api.act is the only way to one: a person, who was shown the
-- evidence in a transaction that is over, says why; the alerter sees it once
-- the record is on disk.  It ends when its time is over or somebody undoes it.

grant create on schema alerter to tollwatch_access;
set local role tollwatch_access;

create table access.action_kind (
	name text primary key check (name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
	family text,
	says text not null,
	lasts interval not null check (lasts between '1 minute' and '31 days'),
	active boolean not null default true
);

create table access.action (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	kind text not null references access.action_kind,
	incident bigint not null,
	account text not null,
	staff bigint not null,
	handle text not null,
	ticket bigint not null references access.ticket,
	event bigint not null,
	reason text not null,
	until timestamptz not null,
	ended_at timestamptz,
	ended_by text,
	end_event bigint,
	check (until > at),
	check (ended_at is null or ended_by is not null)
);
create unique index action_active on access.action (account, kind)
	where ended_at is null;
create index action_incident on access.action (incident);

-- [{"name": "bar-international", "family": "toll", "says": "...",
-- "lasts_s": 28800}]; family null or missing: any.
create function alerter.actions(p_actions jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if (jsonb_typeof(p_actions) = 'array') is not true then
		raise exception 'actions: an array is wanted'
			using errcode = 'invalid_parameter_value';
	end if;
	update access.action_kind k set active = false
	where k.active and k.name not in (
		select v.name from jsonb_to_recordset(p_actions) v(name text)
		where v.name is not null);
	insert into access.action_kind as k (name, family, says, lasts)
	select v.name, nullif(v.family, ''), v.says,
		make_interval(secs => v.lasts_s)
	from jsonb_to_recordset(p_actions)
		v(name text, family text, says text, lasts_s double precision)
	on conflict (name) do update set family = excluded.family,
		says = excluded.says, lasts = excluded.lasts, active = true;
end
$$;
grant execute on function alerter.actions(jsonb) to tollwatch_alerter;
comment on function alerter.actions(jsonb) is
	'Make these the actions there are.';

create function access.undo(p_id bigint, p_by text, p_event bigint)
returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	a access.action;
begin
	update access.action o set ended_at = clock_timestamp(),
		ended_by = p_by, end_event = p_event
	where o.id = p_id and o.ended_at is null
	returning * into a;
	if a.id is null then
		return false;
	end if;
	perform access.tell('undo', a.incident, p_by,
		format('%s: %s ends (%s)', access.called(a.incident), a.kind, p_by),
		jsonb_build_object('action', a.kind, 'id', a.id,
			'account', a.account, 'by', p_by, 'taken_by', a.handle),
		'undo ' || a.id);
	return true;
end
$$;

-- Those whose time is over.
create function access.expire() returns void
language sql set search_path = pg_catalog, pg_temp as $$
	select access.undo(a.id, 'expiry', audit.append('undo', 'ok',
		'expiry', a.incident, p_subject => 'action ' || a.id))
	from (select o.id, o.incident from access.action o
		where o.ended_at is null and o.until <= clock_timestamp()
		order by o.id for update skip locked) a;
$$;

create or replace function access.remind() returns void
language sql set search_path = pg_catalog, pg_temp as $$
	select access.tell('review_overdue', g.incident, g.handle,
		format('break-glass %s of %s on %s was to be reviewed by %s UTC',
			g.id, g.handle, access.called(g.incident),
			to_char(g.review_due at time zone 'UTC', 'Dy DD Mon HH24:MI')),
		jsonb_build_object('grant', g.id, 'due', g.review_due),
		format('review_overdue %s %s', g.id,
			(clock_timestamp() at time zone 'Europe/London')::date))
	from access."grant" g
	where g.reviewed_at is null and g.review_due < clock_timestamp();
	select access.expire();
$$;

create function access.act_code(p_incident bigint, p_action text)
returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select case
	when (select i.state <> 'resolved' from core.incident i
		where i.id = p_incident) is not true then 'closed'
	when access.is_ours(p_incident) then 'no_account'
	when (select exists (select from access.action_kind k, core.incident i
		where i.id = p_incident and k.name = p_action and k.active
			and (k.family is null or k.family = i.family)))
		is not true then 'bad_action'
	else 'ok' end;
$$;

-- Null: it is under way already, for this account.
create function access.begin_action(p_incident bigint, p_action text,
	p_staff bigint, p_handle text, p_ticket bigint, p_event bigint,
	p_reason text) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	made access.action;
begin
	insert into access.action as a (kind, incident, account, staff, handle,
		ticket, event, reason, until)
	select k.name, i.id, i.account, p_staff, p_handle, p_ticket, p_event,
		p_reason, clock_timestamp() + k.lasts
	from access.action_kind k, core.incident i
	where k.name = p_action and i.id = p_incident
	on conflict (account, kind) where ended_at is null do nothing
	returning * into made;
	if made.id is not null then
		perform access.tell('action', p_incident, p_handle,
			format('%s: %s by %s until %s UTC',
				access.called(p_incident), p_action, p_handle,
				to_char(made.until at time zone 'UTC',
					'Dy DD Mon HH24:MI')),
			jsonb_build_object('action', made.kind, 'id', made.id,
				'account', made.account, 'by', p_handle,
				'until', made.until), 'action ' || made.id);
	end if;
	return made.id;
end
$$;

create function api.act(p_token bytea, p_incident bigint, p_action text,
	p_reason text) returns table (code text, id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
	seen bigint;
	event bigint;
begin
	select * into e from access.entry(p_token, p_incident,
		access.span('act_age'));
	code := e.code;
	if code = 'ok' then
		seen := access.seen(e.staff, p_incident);
		code := case
		when access.is_human(e.staff) is not true then 'not_human'
		when seen is null then 'evidence_not_viewed'
		when access.act_code(p_incident, p_action) is distinct from 'ok'
			then access.act_code(p_incident, p_action)
		when access.reason_ok(p_reason) is not true then 'bad_reason'
		else 'ok' end;
	end if;
	if code = 'ok' then
		perform access.expire();
		if exists (select from access.action a join core.incident i
				on i.account = a.account
				where i.id = p_incident and a.kind = p_action
				and a.ended_at is null) then
			code := 'active_before';
		end if;
	end if;
	event := audit.append('act', code, e.handle, p_incident, seen,
		e.authority,
		p_subject => case when code in ('ok', 'active_before')
			then p_action end,
		p_words => left(p_reason, 500));
	if code = 'ok' then
		id := access.begin_action(p_incident, p_action, e.staff,
			e.handle, seen, event, p_reason);
		if id is null then -- another did in this very moment
			code := 'active_before';
			perform audit.append('act', code, e.handle, p_incident,
				seen, e.authority, p_subject => p_action);
		end if;
	end if;
	return next;
end
$$;
grant execute on function api.act(bytea, bigint, text, text)
	to tollwatch_console;
comment on function api.act(bytea, bigint, text, text) is
	'Take a configured action; by a person who was shown the evidence before.';

create function api.undo(p_token bytea, p_id bigint, p_reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	a access.action;
	code text;
	event bigint;
begin
	select * into w from authn.who(p_token, 'oncall',
		access.span('disclose_age'));
	code := case coalesce(w.code, 'no_session') when 'not_role'
		then 'not_oncall' else coalesce(w.code, 'no_session') end;
	if code = 'ok' then
		select * into a from access.action o where o.id = p_id for update;
		code := case
		when access.is_human(w.staff) is not true then 'not_human'
		when a.id is null then 'unknown_action'
		when a.ended_at is not null then 'ended_before'
		when access.reason_ok(p_reason) is not true then 'bad_reason'
		else 'ok' end;
	end if;
	event := audit.append('undo', code, w.handle, a.incident,
		p_subject => 'action ' || p_id, p_words => left(p_reason, 500));
	if code = 'ok' then
		perform access.undo(p_id, w.handle, event);
	end if;
	return code;
end
$$;
grant execute on function api.undo(bytea, bigint, text) to tollwatch_console;
comment on function api.undo(bytea, bigint, text) is
	'End an action before its time; by anybody who may be on call.';

create function api.actions(p_token bytea, p_incident bigint)
returns table (code text, action text, says text, id bigint,
	at timestamptz, by text, reason text, until timestamptz,
	ended_at timestamptz, ended_by text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
begin
	select * into e from access.entry(p_token, p_incident, null);
	code := e.code;
	if code <> 'ok' then
		return next;
		return;
	end if;
	return query select 'ok'::text, k.name, k.says, a.id, a.at, a.handle,
		a.reason, a.until, a.ended_at, a.ended_by
	from core.incident i cross join access.action_kind k
		left join access.action a on a.kind = k.name
			and a.account = i.account and a.at >= i.opened_at
	where i.id = p_incident and (a.id is not null or (k.active
		and (k.family is null or k.family = i.family)
		and not access.is_ours(i.id)))
	order by k.name, a.id;
end
$$;
grant execute on function api.actions(bytea, bigint) to tollwatch_console;
comment on function api.actions(bytea, bigint) is
	'What may be done about an incident, and what was.';

create or replace view access.decided as
select d.id, d.incident, d.kind, d.handle, d.at, t.shown_at
from access.decision d join access.ticket t on t.id = d.ticket
union all
select a.id, a.incident, 'action ' || a.kind, a.handle, a.at, t.shown_at
from access.action a join access.ticket t on t.id = a.ticket;

reset role;
revoke create on schema alerter from tollwatch_access;

comment on table access.action_kind is 'The actions the config has, or had.';
comment on column access.action_kind.name is 'bar-international... [class: operational; keep: for ever]';
comment on column access.action_kind.family is 'Of which incidents; null: any [class: operational; keep: for ever]';
comment on column access.action_kind.says is 'What it does, in a sentence [class: operational; keep: for ever]';
comment on column access.action_kind.lasts is 'Ends by itself after [class: operational; keep: for ever]';
comment on column access.action_kind.active is 'The config has it now [class: operational; keep: for ever]';
comment on table access.action is 'Actions people took.';
comment on column access.action.id is 'Key [class: operational; keep: 13 months]';
comment on column access.action.at is 'When [class: operational; keep: 13 months]';
comment on column access.action.kind is 'Which [class: operational; keep: 13 months]';
comment on column access.action.incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column access.action.account is 'To whom [class: customer; keep: 13 months]';
comment on column access.action.staff is 'authn.staff.id [class: operational; keep: 13 months]';
comment on column access.action.handle is 'By whom [class: personal; keep: 13 months]';
comment on column access.action.ticket is 'By which they were shown the evidence before [class: operational; keep: 13 months]';
comment on column access.action.event is 'Event of it [class: operational; keep: 13 months]';
comment on column access.action.reason is 'As typed [class: personal; keep: 13 months]';
comment on column access.action.until is 'When it ends by itself [class: operational; keep: 13 months]';
comment on column access.action.ended_at is 'When it did [class: operational; keep: 13 months]';
comment on column access.action.ended_by is 'Handle, or expiry [class: personal; keep: 13 months]';
comment on column access.action.end_event is 'Event of that [class: operational; keep: 13 months]';
