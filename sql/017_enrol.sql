-- SPDX-License-Identifier: Apache-2.0
-- How staff come, change roles and go.
--
-- Nobody gives anybody a password: whoever is added gets a token for one
-- enrolment, and with it sets a password and is shown a TOTP seed, once.  Who
-- lost either is reset by two others, never shown what was.
--
-- The first two admins are made by the database's superuser
-- (authn.bootstrap); from then on staff make staff.

set local role tollwatch_authn;

create table authn.enrolment (
	token_hash bytea primary key check (length(token_hash) = 32),
	staff bigint not null references authn.staff,
	made_by text not null,
	made_at timestamptz not null default clock_timestamp(),
	expires_at timestamptz not null,
	seed bytea,
	tries integer not null default 0,
	used_at timestamptz
);
create index enrolment_staff on authn.enrolment (staff);

create table authn.proposal (
	id bigint generated always as identity primary key,
	kind text not null check (kind in ('reset', 'role', 'network')),
	handle text,
	role text references authn.role_name,
	give boolean,
	until timestamptz,
	network cidr,
	proposed_by text not null,
	proposed_at timestamptz not null default clock_timestamp(),
	expires_at timestamptz not null,
	approved_by text,
	approved_at timestamptz,
	check (approved_by <> proposed_by),
	check (approved_by <> handle),
	check ((kind = 'network') = (handle is null)),
	check (kind = 'reset' or (role is not null and give is not null))
);

create function authn.invite(p_staff bigint, p_by text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	token text := encode(crypto.gen_random_bytes(16), 'hex');
begin
	update authn.enrolment e set used_at = clock_timestamp()
		where e.staff = p_staff and e.used_at is null;
	insert into authn.enrolment (token_hash, staff, made_by, expires_at)
	values (sha256(convert_to(token, 'UTF8')), p_staff, p_by,
		clock_timestamp() + authn.span('enrolment_lasts'));
	return token;
end
$$;

create function authn.admins() returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
	select count(*) from authn.staff s join authn.secret x on x.staff = s.id
	where authn.may_work(s) and 'admin' = any (authn.roles_of(s.id));
$$;

create function authn.add(p_handle text, p_name text, p_authority text,
	p_until timestamptz, p_by text) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	made bigint;
begin
	insert into authn.staff as s (handle, name, authority, authority_until, made_by)
	values (p_handle, p_name, p_authority, p_until, p_by)
	on conflict (handle) do nothing
	returning s.id into made;
	return made;
end
$$;

create function authn.add_code(p_handle text, p_name text, p_authority text,
	p_until timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select case
	when (p_handle ~ '^[a-z0-9][a-z0-9_.-]{0,30}$') is not true then 'bad_handle'
	when (length(btrim(p_name)) between 1 and 80
		and p_name !~ '[[:cntrl:]]') is not true then 'bad_name'
	when (length(btrim(p_authority)) between 3 and 200
		and p_authority !~ '[[:cntrl:]]') is not true then 'bad_authority'
	when p_until <= clock_timestamp() then 'bad_dates'
	else 'ok' end;
$$;

create function authn.bootstrap(p_handle text, p_name text, p_authority text)
returns table (code text, enrol_token text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	id bigint;
begin
	lock table authn.role in share row exclusive mode;
	code := authn.add_code(p_handle, p_name, p_authority, null);
	if code = 'ok' and authn.admins() >= 2 then
		code := 'has_admins';
	end if;
	if code = 'ok' then
		id := authn.add(p_handle, p_name, p_authority, null, session_user);
		code := case when id is null then 'handle_taken' else 'ok' end;
	end if;
	if code = 'ok' then
		insert into authn.role (staff, role, granted_by)
			values (id, 'admin', session_user);
		enrol_token := authn.invite(id, session_user);
	end if;
	perform audit.append('bootstrap', code, session_user,
		p_subject => p_handle);
	return next;
end
$$;

create function authn.staff_add(p_token bytea, p_handle text, p_name text,
	p_authority text, p_until timestamptz, p_reason text)
returns table (code text, enrol_token text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	id bigint;
begin
	select * into w from authn.who(p_token, 'admin', interval '8 hours');
	code := coalesce(w.code, 'no_session');
	if code = 'ok' then
		code := authn.add_code(p_handle, p_name, p_authority, p_until);
	end if;
	if code = 'ok' then
		id := authn.add(p_handle, p_name, p_authority, p_until, w.handle);
		code := case when id is null then 'handle_taken' else 'ok' end;
	end if;
	if code = 'ok' then
		enrol_token := authn.invite(id, w.handle);
	end if;
	perform audit.append('staff_add', code, w.handle, p_subject => p_handle,
		p_words => left(p_reason, 500));
	return next;
end
$$;

-- Whoever leaves: no log-in, no session, no role from this moment.
create function authn.staff_end(p_token bytea, p_handle text, p_reason text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	s authn.staff;
	code text;
begin
	lock table authn.role in share row exclusive mode;
	select * into w from authn.who(p_token, 'admin', interval '8 hours');
	select * into s from authn.staff o where o.handle = p_handle for update;
	code := case
	when coalesce(w.code, 'no_session') <> 'ok' then coalesce(w.code, 'no_session')
	when s.id is null then 'unknown_person'
	when (s.handle <> w.handle) is not true then 'self'
	when s.active is not true then 'ended_before'
	else 'ok' end;
	if code = 'ok' then
		update authn.staff o set active = false,
			ended_at = clock_timestamp() where o.id = s.id;
		update authn.session o set closed_at = clock_timestamp()
			where o.staff = s.id and o.closed_at is null;
		update authn.enrolment o set used_at = clock_timestamp()
			where o.staff = s.id and o.used_at is null;
		delete from authn.secret o where o.staff = s.id;
	end if;
	perform audit.append('staff_end', code, w.handle, p_subject => s.handle,
		p_words => left(p_reason, 500));
	return code;
end
$$;

-- ---- enrolment: the token, and the seed once ----

create function authn.enrol_begin(p_enrol_token text)
returns table (code text, handle text, seed bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e authn.enrolment;
	s authn.staff;
begin
	select * into e from authn.enrolment o
		where o.token_hash = sha256(convert_to(p_enrol_token, 'UTF8'))
		for update;
	select * into s from authn.staff o where o.id = e.staff;
	code := case
	when e.staff is null or e.used_at is not null
		or (e.expires_at > clock_timestamp()) is not true
		or authn.may_work(s) is not true then 'bad_token'
	when e.seed is not null then 'begun_before'
	else 'ok' end;
	if code = 'ok' then
		seed := crypto.gen_random_bytes(20);
		update authn.enrolment o set seed = enrol_begin.seed
			where o.token_hash = e.token_hash;
		handle := s.handle;
	end if;
	perform audit.append('enrol_begin', code, s.handle);
	return next;
end
$$;

-- With a code of the seed that was shown: the authenticator has it.
create function authn.enrol_finish(p_enrol_token text, p_password text, p_code text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e authn.enrolment;
	s authn.staff;
	step bigint;
	code text;
begin
	select * into e from authn.enrolment o
		where o.token_hash = sha256(convert_to(p_enrol_token, 'UTF8'))
		for update;
	select * into s from authn.staff o where o.id = e.staff;
	step := authn.totp_step(coalesce(e.seed, '\x00'), p_code, 0, clock_timestamp());
	code := case
	when e.staff is null or e.used_at is not null or e.tries >= 20
		or (e.expires_at > clock_timestamp()) is not true
		or authn.may_work(s) is not true then 'bad_token'
	when e.seed is null then 'begin_first'
	when (length(p_password) >= 12) is not true then 'password_short'
	when (octet_length(p_password) <= 72) is not true then 'password_long'
	when strpos(lower(p_password), s.handle) > 0 then 'password_handle'
	when step is null then 'bad_code'
	else 'ok' end;
	if code = 'ok' then
		insert into authn.secret as x (staff, password, seed, last_step)
		values (s.id, crypto.crypt(p_password, crypto.gen_salt('bf', 12)),
			e.seed, step)
		on conflict (staff) do update set password = excluded.password,
			seed = excluded.seed, last_step = excluded.last_step,
			fails = 0, fails_total = 0, locked_until = null,
			enrolled_at = clock_timestamp();
		update authn.enrolment o set used_at = clock_timestamp(), seed = null
			where o.token_hash = e.token_hash;
	elsif e.staff is not null then
		update authn.enrolment o set tries = o.tries + 1
			where o.token_hash = e.token_hash;
	end if;
	perform audit.append('enrol', code, s.handle);
	return code;
end
$$;

-- ---- what two persons do ----

create function authn.reset_propose(p_token bytea, p_handle text, p_reason text)
returns table (code text, id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	s authn.staff;
begin
	select * into w from authn.who(p_token, null, interval '8 hours');
	select * into s from authn.staff o where o.handle = p_handle;
	code := case
	when coalesce(w.code, 'no_session') <> 'ok' then coalesce(w.code, 'no_session')
	when (w.roles && array['admin', 'manager']) is not true then 'not_role'
	when authn.may_work(s) is not true then 'unknown_person'
	when (s.handle <> w.handle) is not true then 'self'
	when (length(btrim(p_reason)) between 10 and 500) is not true then 'bad_reason'
	else 'ok' end;
	if code = 'ok' then
		insert into authn.proposal as p (kind, handle, proposed_by, expires_at)
		values ('reset', s.handle, w.handle,
			clock_timestamp() + authn.span('proposal_lasts'))
		returning p.id into id;
	end if;
	perform audit.append('reset_propose', code, w.handle,
		p_subject => s.handle, p_words => left(p_reason, 500),
		p_detail => 'proposal ' || id);
	return next;
end
$$;

-- May this person approve it now?
create function authn.approve_code(p_code text, p_handle text, p_roles text[],
	p authn.proposal, p_kind text)
returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select case
	when coalesce(p_code, 'no_session') <> 'ok' then coalesce(p_code, 'no_session')
	when (p_roles && array['admin', 'manager']) is not true then 'not_role'
	when (p.kind = p_kind) is not true then 'unknown_proposal'
	when (p.proposed_by <> p_handle) is not true then 'own_proposal'
	when (p.handle = p_handle) is true then 'self'
	when p.approved_at is not null then 'approved_before'
	when (p.expires_at > clock_timestamp()) is not true then 'expired_proposal'
	else 'ok' end;
$$;

create function authn.reset_approve(p_token bytea, p_id bigint)
returns table (code text, enrol_token text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	p authn.proposal;
	s authn.staff;
begin
	select * into w from authn.who(p_token, null, interval '8 hours');
	select * into p from authn.proposal o where o.id = p_id for update;
	select * into s from authn.staff o where o.handle = p.handle;
	code := authn.approve_code(w.code, w.handle, w.roles, p, 'reset');
	if code = 'ok' and authn.may_work(s) is not true then
		code := 'unknown_person';
	end if;
	if code = 'ok' then
		update authn.proposal o set approved_by = w.handle,
			approved_at = clock_timestamp() where o.id = p_id;
		delete from authn.secret o where o.staff = s.id;
		update authn.session o set closed_at = clock_timestamp()
			where o.staff = s.id and o.closed_at is null;
		enrol_token := authn.invite(s.id, w.handle);
	end if;
	perform audit.append('reset_approve', code, w.handle,
		p_subject => p.handle, p_detail => 'proposal ' || p_id);
	return next;
end
$$;

create function authn.apply_role(p authn.proposal, p_by text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	s authn.staff;
begin
	lock table authn.role in share row exclusive mode;
	select * into s from authn.staff o where o.handle = p.handle;
	if p.give then
		insert into authn.role (staff, role, granted_by, approved_by, until)
		values (s.id, p.role, p.proposed_by, p_by, p.until);
		return 'ok';
	end if;
	update authn.role r set until = clock_timestamp()
	where r.staff = s.id and r.role = p.role
		and (r.until is null or r.until > clock_timestamp());
	return 'ok';
end
$$;

-- Somebody must be able to give roles tomorrow.
create function authn.is_last_admin(p authn.proposal) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
	select p.kind = 'role' and p.role = 'admin' and not p.give
		and authn.admins() <= 1;
$$;

-- Applied at once unless 'two_persons_roles' is on; never to oneself.
create function authn.role_propose(p_token bytea, p_handle text, p_role text,
	p_until timestamptz, p_give boolean, p_reason text)
returns table (code text, id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	s authn.staff;
	p authn.proposal;
begin
	select * into w from authn.who(p_token, 'admin', interval '8 hours');
	select * into s from authn.staff o where o.handle = p_handle;
	code := case
	when coalesce(w.code, 'no_session') <> 'ok' then coalesce(w.code, 'no_session')
	when authn.may_work(s) is not true then 'unknown_person'
	when (s.handle <> w.handle) is not true then 'self'
	when p_give is null
		or not exists (select from authn.role_name n where n.role = p_role)
		then 'bad_role'
	when p_until <= clock_timestamp() then 'bad_dates'
	when (length(btrim(p_reason)) between 10 and 500) is not true then 'bad_reason'
	when (p_role = any (authn.roles_of(s.id))) = p_give then 'no_change'
	else 'ok' end;
	if code = 'ok' then
		insert into authn.proposal as o (kind, handle, role, give, until,
			proposed_by, expires_at)
		values ('role', s.handle, p_role, p_give, p_until, w.handle,
			clock_timestamp() + authn.span('proposal_lasts'))
		returning * into p;
		id := p.id;
		if change.get('two_persons_roles') is distinct from 'off' then
			code := 'wants_approval';
		elsif authn.is_last_admin(p) then
			code := 'last_admin';
		else
			update authn.proposal o set approved_at = clock_timestamp()
				where o.id = p.id;
			code := authn.apply_role(p, null);
		end if;
	end if;
	perform audit.append('role_propose', code, w.handle,
		p_subject => s.handle, p_words => left(p_reason, 500),
		p_detail => case when p_give then 'give ' else 'take ' end || p_role
			|| coalesce(' until ' || (p_until at time zone 'UTC')::date, ''));
	return next;
end
$$;

create function authn.role_approve(p_token bytea, p_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	p authn.proposal;
	code text;
begin
	select * into w from authn.who(p_token, null, interval '8 hours');
	select * into p from authn.proposal o where o.id = p_id for update;
	code := authn.approve_code(w.code, w.handle, w.roles, p, 'role');
	if code = 'ok' and authn.is_last_admin(p) then
		code := 'last_admin';
	end if;
	if code = 'ok' then
		update authn.proposal o set approved_by = w.handle,
			approved_at = clock_timestamp() where o.id = p_id;
		code := authn.apply_role(p, w.handle);
	end if;
	perform audit.append('role_approve', code, w.handle,
		p_subject => p.handle, p_detail => 'proposal ' || p_id);
	return code;
end
$$;

-- Where a role may be used from: always by two.
create function authn.network_propose(p_token bytea, p_role text, p_network cidr,
	p_give boolean, p_reason text) returns table (code text, id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token, 'admin', interval '8 hours');
	code := case
	when coalesce(w.code, 'no_session') <> 'ok' then coalesce(w.code, 'no_session')
	when p_network is null or p_give is null
		or not exists (select from authn.role_name n where n.role = p_role)
		then 'bad_network'
	when (length(btrim(p_reason)) between 10 and 500) is not true then 'bad_reason'
	else 'ok' end;
	if code = 'ok' then
		insert into authn.proposal as o (kind, role, give, network,
			proposed_by, expires_at)
		values ('network', p_role, p_give, p_network, w.handle,
			clock_timestamp() + authn.span('proposal_lasts'))
		returning o.id into id;
	end if;
	perform audit.append('network_propose', code, w.handle,
		p_subject => p_role, p_words => left(p_reason, 500),
		p_detail => case when p_give then 'allow ' else 'forbid ' end
			|| p_network::text);
	return next;
end
$$;

create function authn.network_approve(p_token bytea, p_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	p authn.proposal;
	code text;
begin
	select * into w from authn.who(p_token, null, interval '8 hours');
	select * into p from authn.proposal o where o.id = p_id for update;
	code := authn.approve_code(w.code, w.handle, w.roles, p, 'network');
	if code = 'ok' then
		update authn.proposal o set approved_by = w.handle,
			approved_at = clock_timestamp() where o.id = p_id;
		if p.give then
			insert into authn.network (role, network)
				values (p.role, p.network) on conflict do nothing;
		else
			delete from authn.network n
				where n.role = p.role and n.network = p.network;
		end if;
	end if;
	perform audit.append('network_approve', code, w.handle,
		p_subject => p.role, p_detail => 'proposal ' || p_id);
	return code;
end
$$;

-- Who has what, for those who review it.
create function authn.roles(p_token bytea) returns table (code text, handle text,
	name text, roles text[], authority text, authority_until timestamptz,
	active boolean, enrolled boolean, last_login timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	code := case
	when coalesce(w.code, 'no_session') <> 'ok' then coalesce(w.code, 'no_session')
	when (w.roles && array['admin', 'manager', 'auditor', 'dpo']) is not true
		then 'not_role'
	else 'ok' end;
	perform audit.append('roles', code, w.handle);
	if code <> 'ok' then
		return next;
		return;
	end if;
	return query select 'ok'::text, s.handle, s.name, authn.roles_of(s.id),
		s.authority, s.authority_until, s.active,
		exists (select from authn.secret x where x.staff = s.id),
		(select max(o.opened_at) from authn.session o
			where o.staff = s.id and o.code = 'ok')
	from authn.staff s order by s.handle;
end
$$;

create function authn.proposals(p_token bytea) returns table (code text,
	id bigint, kind text, handle text, role text, give boolean,
	until timestamptz, network cidr, proposed_by text,
	proposed_at timestamptz, approved_by text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	if (w.code = 'ok' and w.roles && array['admin', 'manager', 'auditor']) is not true then
		code := case when w.code = 'ok' then 'not_role'
			else coalesce(w.code, 'no_session') end;
		return next;
		return;
	end if;
	return query select 'ok'::text, p.id, p.kind, p.handle, p.role, p.give,
		p.until, p.network, p.proposed_by, p.proposed_at, p.approved_by
	from authn.proposal p
	where p.approved_at is null and p.expires_at > clock_timestamp()
	order by p.id;
end
$$;

grant execute on function
	authn.staff_add(bytea, text, text, text, timestamptz, text),
	authn.staff_end(bytea, text, text),
	authn.enrol_begin(text), authn.enrol_finish(text, text, text),
	authn.reset_propose(bytea, text, text), authn.reset_approve(bytea, bigint),
	authn.role_propose(bytea, text, text, timestamptz, boolean, text),
	authn.role_approve(bytea, bigint),
	authn.network_propose(bytea, text, cidr, boolean, text),
	authn.network_approve(bytea, bigint),
	authn.roles(bytea), authn.proposals(bytea) to tollwatch_console;
reset role;

comment on function authn.bootstrap(text, text, text) is
	'An admin, while there are fewer than two; for the superuser.';
comment on function authn.enrol_begin(text) is
	'The TOTP seed of an enrolment: shown here, once, and nowhere else.';
comment on function authn.role_propose(bytea, text, text, timestamptz, boolean, text) is
	'Give or take a role: ok, wants_approval, or why not.';
comment on table authn.enrolment is 'Invitations to set a password.';
comment on column authn.enrolment.token_hash is 'SHA-256 of the token [class: operational; keep: 13 months]';
comment on column authn.enrolment.staff is 'Whose [class: operational; keep: 13 months]';
comment on column authn.enrolment.made_by is 'By whom [class: personal; keep: 13 months]';
comment on column authn.enrolment.made_at is 'When [class: operational; keep: 13 months]';
comment on column authn.enrolment.expires_at is 'Of no use after [class: operational; keep: 13 months]';
comment on column authn.enrolment.seed is 'TOTP seed between showing and first code [class: personal; keep: 24 h]';
comment on column authn.enrolment.tries is 'Tries to finish that failed [class: operational; keep: 13 months]';
comment on column authn.enrolment.used_at is 'Used, or taken back [class: operational; keep: 13 months]';
comment on table authn.proposal is 'Resets, roles and networks that one proposed and another approved.';
comment on column authn.proposal.id is 'Number that people say [class: operational; keep: 25 months]';
comment on column authn.proposal.kind is 'reset, role, network [class: operational; keep: 25 months]';
comment on column authn.proposal.handle is 'For whom [class: personal; keep: 25 months]';
comment on column authn.proposal.role is 'Which role [class: operational; keep: 25 months]';
comment on column authn.proposal.give is 'True: give it, allow it [class: operational; keep: 25 months]';
comment on column authn.proposal.until is 'The role ends then [class: operational; keep: 25 months]';
comment on column authn.proposal.network is 'Network [class: operational; keep: 25 months]';
comment on column authn.proposal.proposed_by is 'Handle [class: personal; keep: 25 months]';
comment on column authn.proposal.proposed_at is 'When [class: operational; keep: 25 months]';
comment on column authn.proposal.expires_at is 'Not to be approved after [class: operational; keep: 25 months]';
comment on column authn.proposal.approved_by is 'Handle, another; null: nobody yet, or nobody was needed [class: personal; keep: 25 months]';
comment on column authn.proposal.approved_at is 'When [class: operational; keep: 25 months]';
