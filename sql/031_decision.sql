-- SPDX-License-Identifier: Apache-2.0
-- What people decide of an incident: it is mine, it is yours, it was fraud.
-- The alerter hears of it as a notice and changes the incident.

set local role tollwatch_access;

create table access.decision (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	incident bigint not null,
	kind text not null check (kind in ('acknowledge', 'assign', 'verdict')),
	staff bigint not null,
	handle text not null,
	verdict text check (verdict in ('fraud', 'expected', 'wrong-rate',
		'test', 'other')),
	given_to text check (given_to <> handle),
	ticket bigint references access.ticket,
	event bigint not null,
	check ((kind = 'verdict') = (verdict is not null)),
	check ((kind = 'assign') = (given_to is not null)),
	check (kind <> 'verdict' or ticket is not null)
);
create index decision_incident on access.decision (incident);
create index decision_at on access.decision (at);

create function access.decide(p_kind text, p_incident bigint, p_staff bigint,
	p_handle text, p_event bigint, p_verdict text, p_given_to text,
	p_ticket bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	made bigint;
begin
	insert into access.decision as d (incident, kind, staff, handle, verdict,
		given_to, ticket, event)
	values (p_incident, p_kind, p_staff, p_handle, p_verdict, p_given_to,
		p_ticket, p_event)
	returning d.id into made;
	perform access.tell('decision', p_incident, p_handle,
		format('%s: %s by %s', access.called(p_incident),
			case p_kind when 'acknowledge' then 'acknowledged'
			when 'assign' then 'given to ' || p_given_to
			else 'verdict ' || p_verdict end, p_handle),
		jsonb_strip_nulls(jsonb_build_object('decision', made,
			'does', p_kind, 'verdict', p_verdict, 'to', p_given_to)));
end
$$;

create function api.acknowledge(p_token bytea, p_incident bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
	code text;
	event bigint;
begin
	select * into e from access.entry(p_token, p_incident,
		access.span('disclose_age'));
	code := e.code;
	if code = 'ok' then
		code := case
		when access.is_human(e.staff) is not true then 'not_human'
		when (select i.state <> 'resolved' from core.incident i
			where i.id = p_incident) is not true then 'closed'
		else 'ok' end;
	end if;
	event := audit.append('acknowledge', code, e.handle, p_incident,
		p_authority => e.authority);
	if code = 'ok' then
		perform access.decide('acknowledge', p_incident, e.staff,
			e.handle, event, null, null, null);
	end if;
	return code;
end
$$;
grant execute on function api.acknowledge(bytea, bigint) to tollwatch_console;
comment on function api.acknowledge(bytea, bigint) is
	'It is in my hands: paging stops.';

-- By a manager, to somebody else who may be on call; not while it is closed.
create function api.assign(p_token bytea, p_incident bigint, p_handle text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	code text;
	receiver bigint;
	event bigint;
begin
	select * into w from authn.who(p_token, 'manager',
		access.span('disclose_age'));
	code := coalesce(w.code, 'no_session');
	receiver := access.oncall_of(p_handle);
	if code = 'ok' then
		code := case
		when access.is_human(w.staff) is not true then 'not_human'
		when (select exists (select from core.incident i
			where i.id = p_incident)) is not true
			then 'unknown_incident'
		when (select i.state <> 'resolved' from core.incident i
			where i.id = p_incident) is not true then 'closed'
		when receiver is null then 'unknown_person'
		when (receiver <> w.staff and p_handle <> w.handle) is not true
			then 'own'
		else 'ok' end;
	end if;
	event := audit.append('assign', code, w.handle, p_incident,
		p_subject => case when receiver is not null then p_handle end);
	if code = 'ok' then
		insert into access."grant" (staff, handle, incident, kind,
			until, given_by)
		values (receiver, p_handle, p_incident, 'assigned',
			clock_timestamp() + access.span('assigned_for'), w.handle);
		perform access.decide('assign', p_incident, w.staff, w.handle,
			event, null, p_handle, null);
	end if;
	return code;
end
$$;
grant execute on function api.assign(bytea, bigint, text) to tollwatch_console;
comment on function api.assign(bytea, bigint, text) is
	'Give an incident to somebody else, who then may look into it.';

create function api.verdict(p_token bytea, p_incident bigint, p_verdict text,
	p_reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
	code text;
	seen bigint;
	event bigint;
begin
	select * into e from access.entry(p_token, p_incident,
		access.span('disclose_age'));
	code := e.code;
	if code = 'ok' then
		seen := access.seen(e.staff, p_incident);
		code := case
		when access.is_human(e.staff) is not true then 'not_human'
		when seen is null then 'evidence_not_viewed'
		when (p_verdict in ('fraud', 'expected', 'wrong-rate', 'test',
			'other')) is not true then 'bad_verdict'
		when access.reason_ok(p_reason) is not true then 'bad_reason'
		else 'ok' end;
	end if;
	event := audit.append('verdict', code, e.handle, p_incident, seen,
		e.authority, p_words => left(p_reason, 500),
		p_detail => case when code = 'ok' then p_verdict end);
	if code = 'ok' then
		perform access.decide('verdict', p_incident, e.staff, e.handle,
			event, p_verdict, null, seen);
	end if;
	return code;
end
$$;
grant execute on function api.verdict(bytea, bigint, text, text)
	to tollwatch_console;
comment on function api.verdict(bytea, bigint, text, text) is
	'What it was; by somebody who was shown the evidence before.';

-- Verdicts and actions sooner after the first look than one can have read.
create view access.decided as
select d.id, d.incident, d.kind, d.handle, d.at, t.shown_at
from access.decision d join access.ticket t on t.id = d.ticket;

create function api.quick_decisions(p_token bytea, p_from timestamptz,
	p_to timestamptz) returns table (code text, incident bigint, ref bigint,
	kind text, handle text, shown_at timestamptz, decided_at timestamptz,
	seconds numeric)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	code := coalesce(w.code, 'no_session');
	if code = 'ok' and (w.roles && array['manager', 'dpo', 'auditor']) is not true then
		code := 'not_role';
	end if;
	perform audit.append('quick_decisions', code, w.handle,
		p_detail => p_from || ' ' || p_to);
	if code <> 'ok' then
		return next;
		return;
	end if;
	return query select 'ok'::text, d.incident, i.ref, d.kind, d.handle,
		d.shown_at, d.at,
		round(extract(epoch from d.at - d.shown_at), 1)
	from access.decided d left join core.incident i on i.id = d.incident
	where d.at >= p_from and d.at < p_to
		and d.at - d.shown_at < interval '30 seconds'
	order by d.at limit 1000;
end
$$;
grant usage on schema api to tollwatch_auditor;
grant execute on function api.quick_decisions(bytea, timestamptz, timestamptz)
	to tollwatch_console, tollwatch_auditor, tollwatch_dpo;
comment on function api.quick_decisions(bytea, timestamptz, timestamptz) is
	'Decisions taken within 30 s of the first look: was there a human in it?';

reset role;

comment on table access.decision is 'What people decided of an incident.';
comment on column access.decision.id is 'Key [class: operational; keep: 13 months]';
comment on column access.decision.at is 'When [class: operational; keep: 13 months]';
comment on column access.decision.incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column access.decision.kind is 'acknowledge, assign, verdict [class: operational; keep: 13 months]';
comment on column access.decision.staff is 'authn.staff.id [class: operational; keep: 13 months]';
comment on column access.decision.handle is 'Whose [class: personal; keep: 13 months]';
comment on column access.decision.verdict is 'fraud, expected... [class: customer; keep: 13 months]';
comment on column access.decision.given_to is 'assign: handle of who has it now [class: personal; keep: 13 months]';
comment on column access.decision.ticket is 'By which they were shown the evidence before [class: operational; keep: 13 months]';
comment on column access.decision.event is 'Event with the reason [class: operational; keep: 13 months]';
comment on view access.decided is 'Verdicts and actions, and when their maker was first shown the evidence.';
comment on column access.decided.id is 'Key of the decision or action [class: operational; keep: as its table]';
comment on column access.decided.incident is 'core.incident.id [class: operational; keep: as its table]';
comment on column access.decided.kind is 'What was decided [class: operational; keep: as its table]';
comment on column access.decided.handle is 'Who [class: personal; keep: as its table]';
comment on column access.decided.at is 'When [class: operational; keep: as its table]';
comment on column access.decided.shown_at is 'First shown the evidence [class: operational; keep: as its table]';
