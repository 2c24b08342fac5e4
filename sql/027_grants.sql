-- SPDX-License-Identifier: Apache-2.0
-- Who may look into which incident, and when:
--
--   shift        on call now, by a rota that counts
--   assigned     a manager gave it to them
--   break-glass  taken for an hour, told to others at once, reviewed later
--
-- A rota is the alerter's config as the database last heard of it.  One that
-- comes while 'two_persons_rota' is on does not count until change.approve of
-- its hash; the one before stays in force meanwhile.  The approver's own
-- shifts in it count only once somebody else approved it too, whatever the
-- proposal says of who gains.  An approved rota grows at its end as the days
-- pass and changes in no other way.

-- What is asked at every look is plpgsql, also where SQL would do: it keeps
-- its plans, and half as many looks again fit into a second.

-- What the owner of these functions may know of core and of the staff.
grant select (id, stream, ref, family, subject, account, account_name,
	account_masked, trunk, severity, state, title, opened_at, acked_by,
	resolved_at, exposure_gbp, calls, live_calls)
	on core.incident to tollwatch_access;
grant select (id, incident, at, rule, title, key)
	on core.finding to tollwatch_access;
grant select (finding, n, call_key, setup_at, answer_at, end_at, cost_gbp,
	callee, country, live)
	on core.evidence_call to tollwatch_access;
grant select (id, handle, kind, active, authority_until)
	on authn.staff to tollwatch_access;
grant select (staff, role, "from", until) on authn.role to tollwatch_access;

set local role tollwatch_change;
create function change.approvers(p_kind text, p_subject text) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select coalesce(array_agg(p.approved_by), '{}') from change.proposal p
	where p.kind = p_kind and p.subject = p_subject
		and p.approved_by is not null
		and p.approved_by <> p.proposed_by
		and p.withdrawn_at is null;
$$;
grant execute on function change.approvers(text, text) to tollwatch_access;
reset role;

-- The alerter's functions among these belong to tollwatch_access.
grant create, usage on schema alerter to tollwatch_access;
set local role tollwatch_access;

create table access.setting (
	name text primary key,
	value text not null
);
insert into access.setting (name, value) values
	('subjects_an_hour_alarm', '30'),
	('subjects_an_hour_refused', '100'),
	('disclose_age', '8 hours'),
	('act_age', '15 minutes'),
	('closed_grace', '24 hours'),
	('assigned_for', '7 days'),
	('ticket_life', '60 seconds'),
	('flush_wait', '1 second'),
	('break_glass_for', '60 minutes');

create table access.rota (
	hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
	heard_at timestamptz not null default clock_timestamp(),
	wants_approval boolean not null
);
create index rota_heard on access.rota (heard_at desc);

create table access.shift (
	id bigint generated always as identity primary key,
	rota text not null references access.rota,
	handle text not null check (handle <> ''),
	during tstzrange not null check (not isempty(during))
);
create index shift_rota on access.shift (rota, handle);

create table access."grant" (
	id bigint generated always as identity primary key,
	staff bigint not null,
	handle text not null,
	incident bigint not null,
	kind text not null check (kind in ('assigned', 'break-glass')),
	"from" timestamptz not null default clock_timestamp(),
	until timestamptz not null,
	extended boolean not null default false,
	given_by text not null,
	reason text,
	review_due timestamptz,
	reviewed_by text,
	reviewed_at timestamptz,
	review text check (review in ('justified', 'not-justified')),
	review_words text,
	check (kind <> 'assigned' or given_by <> handle),
	check (reviewed_by <> handle),
	check (num_nulls(reviewed_by, reviewed_at, review) in (0, 3)),
	check (until > "from" and until <= "from" + interval '31 days')
);
create index grant_staff on access."grant" (staff, incident);
create index grant_unreviewed on access."grant" (review_due)
	where reviewed_at is null and review_due is not null;

create table access.agreement (
	id bigint generated always as identity primary key,
	account text not null check (account <> ''),
	party text not null check (party <> ''),
	purpose text not null,
	"from" timestamptz not null,
	until timestamptz not null,
	recorded_by text not null,
	recorded_at timestamptz not null default clock_timestamp(),
	approved_by text,
	approved_at timestamptz,
	check (until > "from"),
	check (approved_by <> recorded_by)
);
create index agreement_account on access.agreement (account);

create table access.confidential (
	first text not null check (first ~ '^\+?[0-9]{3,15}$'),
	last text not null,
	reason text not null,
	primary key (first, last),
	check (length(last) = length(first) and last >= first
		and last ~ '^\+?[0-9]{3,15}$')
);

create function access.number(p_name text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.value::bigint from access.setting s where s.name = p_name);
end
$$;
create function access.span(p_name text) returns interval
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.value::interval from access.setting s where s.name = p_name);
end
$$;

-- What people type: 10 to 500 characters of one line.  Not only ASCII's
-- control characters: those that turn or hide what a reviewer reads, too.
create function access.reason_ok(p text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (length(btrim(p)) between 10 and 500 and length(p) <= 500
		and p !~ '[\u0001-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
		) is true);
end
$$;

-- Was it approved, if that is wanted, by somebody other than this person?
create function access.rota_counts(r access.rota, p_but text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (not r.wants_approval or exists (
		select from unnest(change.approvers('rota', r.hash)) a(handle)
		where a.handle is distinct from p_but)) is true);
end
$$;

create function access.rota_now() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select r.hash from access.rota r where access.rota_counts(r, null)
	order by r.heard_at desc limit 1);
end
$$;

create function access.on_shift(p_handle text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select s.id from access.shift s join access.rota r on r.hash = s.rota
	where s.rota = access.rota_now() and s.handle = p_handle
		and s.during @> clock_timestamp()
		and access.rota_counts(r, p_handle)
	order by s.id limit 1);
end
$$;

-- By what right this person looks into this incident now; null: by none.
create function access.authority(p_staff bigint, p_handle text,
	p_incident bigint) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select coalesce('shift ' || access.on_shift(p_handle),
		(select g.kind || ' ' || g.id from access."grant" g
		where g.staff = p_staff and g.incident = p_incident
			and clock_timestamp() >= g."from"
			and clock_timestamp() < g.until
		order by g.kind, g.id limit 1)));
end
$$;

-- A closed incident is closed, but for a day to whom it was in the hands of.
create function access.is_open(p_staff bigint, p_handle text,
	p_incident bigint) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (select i.state in ('open', 'acknowledged')
		or (i.state = 'resolved'
			and i.resolved_at + access.span('closed_grace')
				> clock_timestamp()
			and (coalesce(i.acked_by = p_handle, false)
				or exists (select from access."grant" g
				where g.staff = p_staff
					and g.incident = p_incident
					and g.kind = 'assigned')))
		from core.incident i where i.id = p_incident) is true);
end
$$;

create function access.is_human(p_staff bigint) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select (select s.kind = 'human' and s.active
			and (s.authority_until is null
				or s.authority_until > clock_timestamp())
		from authn.staff s where s.id = p_staff) is true);
end
$$;

-- The staff member of a handle who may be on call; null: there is none.
create function access.oncall_of(p_handle text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
	select s.id from authn.staff s
	where s.handle = p_handle and access.is_human(s.id)
		and exists (select from authn.role r
		where r.staff = s.id and r.role = 'oncall'
			and r."from" <= clock_timestamp()
			and (r.until is null or r.until > clock_timestamp()));
$$;

-- The coming shifts, whole: [{"person": "alex", "from": ..., "until": ...}].
create function alerter.shifts(p_rota_hash text, p_shifts jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	r access.rota;
	newest text;
	wanted boolean := change.get('two_persons_rota') is distinct from 'off';
	edge timestamptz := '-infinity';
begin
	if p_rota_hash is null or p_shifts is null then
		raise exception 'shifts: a hash and shifts are wanted'
			using errcode = 'invalid_parameter_value';
	end if;
	select o.hash into newest from access.rota o
		order by o.heard_at desc limit 1;
	if newest is distinct from p_rota_hash then
		insert into access.rota as o (hash, wants_approval)
			values (p_rota_hash, wanted)
			on conflict (hash) do update set
			heard_at = excluded.heard_at,
			wants_approval = excluded.wants_approval;
		perform audit.append('rota', case when wanted
			then 'wants_approval' else 'ok' end, 'alerter',
			p_subject => p_rota_hash);
	end if;
	select * into r from access.rota o where o.hash = p_rota_hash for update;
	if r.wants_approval and access.rota_counts(r, null) then
		select coalesce(max(upper(s.during)), edge) into edge
		from access.shift s where s.rota = p_rota_hash;
	else
		delete from access.shift s where s.rota = p_rota_hash;
	end if;
	insert into access.shift (rota, handle, during)
	select p_rota_hash, v.person, tstzrange(greatest(v."from", edge), v.until)
	from jsonb_to_recordset(p_shifts)
		v(person text, "from" timestamptz, until timestamptz)
	where v.until > greatest(v."from", edge);
	delete from access.shift s
	where upper(s.during) < clock_timestamp() - interval '31 days';
end
$$;
grant execute on function alerter.shifts(text, jsonb) to tollwatch_alerter;
comment on function alerter.shifts(text, jsonb) is
	'Make these the coming shifts of the rota with this hash.';

create function api.rotas(p_token bytea) returns table (code text, hash text,
	heard_at timestamptz, wants_approval boolean, in_force boolean,
	people text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	if (w.code = 'ok' and w.roles && array['manager', 'dpo', 'oncall']) is not true then
		return query select case when w.code = 'ok' then 'not_role'
			else coalesce(w.code, 'no_session') end, null::text,
			null::timestamptz, null::boolean, null::boolean,
			null::text[];
		return;
	end if;
	return query select 'ok'::text, r.hash, r.heard_at, r.wants_approval,
		r.hash = access.rota_now(),
		(select array_agg(distinct s.handle order by s.handle)
			from access.shift s where s.rota = r.hash)
	from access.rota r order by r.heard_at desc limit 20;
end
$$;
grant execute on function api.rotas(bytea) to tollwatch_console;
comment on function api.rotas(bytea) is 'The newest rotas, and which one counts.';

create function api.agreement_add(p_token bytea, p_account text, p_party text,
	p_purpose text, p_from timestamptz, p_until timestamptz)
returns table (code text, agreement bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token, null, access.span('disclose_age'));
	code := coalesce(w.code, 'no_session');
	if code = 'ok' then
		if (w.roles && array['manager', 'dpo']) is not true then
			code := 'not_role';
		elsif access.is_human(w.staff) is not true then
			code := 'not_human';
		elsif (p_account ~ '^[[:alnum:]_.-]{1,64}$') is not true then
			code := 'unknown_account';
		elsif (p_until > p_from and p_until > clock_timestamp()
				and p_until <= p_from + interval '1 year') is not true then
			code := 'bad_dates';
		elsif not access.reason_ok(p_purpose)
				or (length(btrim(p_party)) between 2 and 200
				and p_party !~ '[[:cntrl:]]') is not true then
			code := 'bad_reason';
		else
			insert into access.agreement (account, party, purpose,
				"from", until, recorded_by)
			values (p_account, p_party, p_purpose, p_from, p_until,
				w.handle)
			returning id into agreement;
		end if;
	end if;
	perform audit.append('agreement_add', code, w.handle,
		p_subject => case when agreement is not null
			then 'agreement ' || agreement end,
		p_words => left(p_purpose, 500));
	return next;
end
$$;
grant execute on function api.agreement_add(bytea, text, text, text,
	timestamptz, timestamptz) to tollwatch_console, tollwatch_dpo;
comment on function api.agreement_add(bytea, text, text, text, timestamptz,
	timestamptz) is
	'Put a customer''s agreement to maintenance on record; another approves it.';

create function api.agreement_approve(p_token bytea, p_agreement bigint)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	a access.agreement;
	code text;
begin
	select * into w from authn.who(p_token, null, access.span('disclose_age'));
	code := coalesce(w.code, 'no_session');
	if code = 'ok' then
		select * into a from access.agreement o
			where o.id = p_agreement for update;
		if (w.roles && array['manager', 'dpo']) is not true then
			code := 'not_role';
		elsif access.is_human(w.staff) is not true then
			code := 'not_human';
		elsif a.id is null then
			code := 'unknown_agreement';
		elsif a.approved_by is not null then
			code := 'done';
		elsif (a.recorded_by <> w.handle) is not true then
			code := 'own';
		else
			update access.agreement o set approved_by = w.handle,
				approved_at = clock_timestamp()
			where o.id = p_agreement;
		end if;
	end if;
	perform audit.append('agreement_approve', code, w.handle,
		p_subject => 'agreement ' || p_agreement);
	return code;
end
$$;
grant execute on function api.agreement_approve(bytea, bigint)
	to tollwatch_console, tollwatch_dpo;
comment on function api.agreement_approve(bytea, bigint) is
	'Approve an agreement that another recorded.';

create function access.agreed(p_account text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select a.id from access.agreement a
	where a.account = p_account and a.approved_by is not null
		and a.approved_by <> a.recorded_by
		and clock_timestamp() >= a."from" and clock_timestamp() < a.until
	order by a.id limit 1);
end
$$;

-- Numbers that stay masked: [{"first": "+44...", "last": "+44...",
-- "reason": "helpline"}]; first = last is a prefix or one number.
create function alerter.confidential(p_ranges jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if (jsonb_typeof(p_ranges) = 'array') is not true then
		raise exception 'confidential: an array is wanted'
			using errcode = 'invalid_parameter_value';
	end if;
	delete from access.confidential;
	insert into access.confidential (first, last, reason)
	select distinct on (v.first, v.last) v.first, coalesce(v.last, v.first),
		coalesce(v.reason, 'confidential')
	from jsonb_to_recordset(p_ranges) v(first text, last text, reason text);
end
$$;
grant execute on function alerter.confidential(jsonb) to tollwatch_alerter;
comment on function alerter.confidential(jsonb) is
	'Make these the numbers that stay masked in a disclosure.';

-- '+252907700001' -> '+252*********' when it, or what it begins with, is in a
-- range; a plus does not matter.
create function access.shown(p_number text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (select case when exists (select from access.confidential c
		where left(ltrim(p_number, '+'), length(ltrim(c.first, '+')))
				between ltrim(c.first, '+') and ltrim(c.last, '+'))
		then left(p_number, 4)
			|| repeat('*', greatest(length(p_number) - 4, 4))
		else p_number end);
end
$$;

reset role;
revoke create on schema alerter from tollwatch_access;

comment on table access.setting is 'Limits of time and number.';
comment on column access.setting.name is 'Which [class: operational; keep: for ever]';
comment on column access.setting.value is 'A number, or an interval [class: operational; keep: for ever]';
comment on table access.rota is 'Rotas the alerter told of.';
comment on column access.rota.hash is 'Of the config of people and rotations [class: operational; keep: 13 months]';
comment on column access.rota.heard_at is 'When it became the config''s [class: operational; keep: 13 months]';
comment on column access.rota.wants_approval is 'It came while two persons were wanted [class: operational; keep: 13 months]';
comment on table access.shift is 'Who is on call when, by each rota.';
comment on column access.shift.id is 'Key [class: operational; keep: 31 d after its end]';
comment on column access.shift.rota is 'By which rota [class: operational; keep: 31 d after its end]';
comment on column access.shift.handle is 'Who [class: personal; keep: 31 d after its end]';
comment on column access.shift.during is 'When [class: personal; keep: 31 d after its end]';
comment on table access."grant" is 'One person''s right to one incident, for a time.';
comment on column access."grant".id is 'Key [class: operational; keep: 13 months]';
comment on column access."grant".staff is 'authn.staff.id [class: operational; keep: 13 months]';
comment on column access."grant".handle is 'Whose [class: personal; keep: 13 months]';
comment on column access."grant".incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column access."grant".kind is 'assigned, break-glass [class: operational; keep: 13 months]';
comment on column access."grant"."from" is 'Since when [class: operational; keep: 13 months]';
comment on column access."grant".until is 'Until when [class: operational; keep: 13 months]';
comment on column access."grant".extended is 'Was made longer, which may be once [class: operational; keep: 13 months]';
comment on column access."grant".given_by is 'Who gave it; break-glass: they themselves [class: personal; keep: 13 months]';
comment on column access."grant".reason is 'As typed [class: personal; keep: 13 months]';
comment on column access."grant".review_due is 'Break-glass: another reviews it by then [class: operational; keep: 13 months]';
comment on column access."grant".reviewed_by is 'Who did [class: personal; keep: 13 months]';
comment on column access."grant".reviewed_at is 'When [class: operational; keep: 13 months]';
comment on column access."grant".review is 'justified, not-justified [class: personal; keep: 13 months]';
comment on column access."grant".review_words is 'What they wrote [class: personal; keep: 13 months]';
comment on table access.agreement is 'Customers who agreed to maintenance with their data.';
comment on column access.agreement.id is 'Key [class: operational; keep: 13 months after until]';
comment on column access.agreement.account is 'Whose [class: customer; keep: 13 months after until]';
comment on column access.agreement.party is 'Who agreed for them [class: personal; keep: 13 months after until]';
comment on column access.agreement.purpose is 'To what [class: customer; keep: 13 months after until]';
comment on column access.agreement."from" is 'Since when [class: customer; keep: 13 months after until]';
comment on column access.agreement.until is 'Until when, a year at most [class: customer; keep: 13 months after until]';
comment on column access.agreement.recorded_by is 'Who wrote it down: handle [class: personal; keep: 13 months after until]';
comment on column access.agreement.recorded_at is 'When [class: operational; keep: 13 months after until]';
comment on column access.agreement.approved_by is 'Another; null: it does not count yet [class: personal; keep: 13 months after until]';
comment on column access.agreement.approved_at is 'When [class: operational; keep: 13 months after until]';
comment on table access.confidential is 'Numbers that stay masked even in a disclosure: helplines, refuges.';
comment on column access.confidential.first is 'First number or prefix [class: customer; keep: while the config has it]';
comment on column access.confidential.last is 'Last, as long as the first [class: customer; keep: while the config has it]';
comment on column access.confidential.reason is 'Why [class: customer; keep: while the config has it]';
