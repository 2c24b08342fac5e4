-- SPDX-License-Identifier: Apache-2.0
-- What was changed, by whom, and who agreed.
--
-- Thresholds, rota and overrides live in the config folder; here is which
-- content (its SHA-256) was in use from when, what differed from the one
-- before, and, where two persons are wanted, who proposed it and who approved.
-- An approval is of a content: the same file one character later is another.

set local role tollwatch_change;

create table change.setting (
	name text primary key,
	value text not null check (value in ('on', 'off')),
	says text not null
);
insert into change.setting (name, value, says) values
	('two_persons_rota', 'off', 'A rota gives its people access only once another person approved it'),
	('two_persons_threshold', 'off', 'A config is taken by reload only once another person approved it'),
	('two_persons_roles', 'off', 'A role is given only once another person approved it');

create table change.proposal (
	id bigint generated always as identity primary key,
	kind text not null check (kind in ('rota', 'threshold', 'setting')),
	subject text not null check (subject <> ''),
	beneficiaries text[] not null default '{}',
	diff text not null default '',
	proposed_by text not null,
	proposed_at timestamptz not null default clock_timestamp(),
	expires_at timestamptz not null default clock_timestamp() + interval '14 days',
	approved_by text,
	approved_at timestamptz,
	withdrawn_at timestamptz,
	check (approved_by <> proposed_by),
	check (not coalesce(approved_by = any (beneficiaries), false)),
	check ((approved_by is null) = (approved_at is null)),
	check (approved_at is null or withdrawn_at is null)
);
create index proposal_subject on change.proposal (kind, subject);

create table change.config (
	id bigint generated always as identity primary key,
	kind text not null check (kind in ('rota', 'threshold')),
	sha256 text not null,
	diff text not null,
	actor text,
	approved boolean not null,
	from_at timestamptz not null default clock_timestamp()
);

create function change.get(p_name text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select s.value from change.setting s where s.name = p_name;
$$;
grant execute on function change.get(text) to tollwatch_authn, tollwatch_access,
	tollwatch_writer;

-- Is this content one that somebody else approved?
create function change.approved(p_kind text, p_subject text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select exists (select from change.proposal p
		where p.kind = p_kind and p.subject = p_subject
		and p.approved_by is not null and p.withdrawn_at is null);
$$;
grant execute on function change.approved(text, text) to tollwatch_access,
	tollwatch_writer;

create function change.may_propose(p_kind text, p_roles text[]) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select (case p_kind
		when 'rota' then p_roles && array['manager', 'oncall', 'admin']
		when 'threshold' then p_roles && array['engineer', 'manager']
		when 'setting' then p_roles && array['admin']
		else false end) is true;
$$;
create function change.may_approve(p_kind text, p_roles text[]) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select (case p_kind
		when 'rota' then p_roles && array['manager']
		when 'threshold' then p_roles && array['engineer', 'manager']
		when 'setting' then p_roles && array['admin', 'manager']
		else false end) is true;
$$;

create function change.fits(p_kind text, p_subject text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
	select (case p_kind
		when 'setting' then exists (select from change.setting s
			where p_subject = s.name || '=on'
			or p_subject = s.name || '=off')
		else p_subject ~ '^[0-9a-f]{64}$' end) is true;
$$;

-- subject: the SHA-256 of a rota or a config, or "two_persons_rota=on";
-- beneficiaries: who would gain access by a rota, so that none of them
-- approves it.  code: ok, what authn.who says, not_role, bad_subject,
-- bad_reason.
create function change.propose(p_token bytea, p_kind text, p_subject text,
	p_beneficiaries text[], p_diff text, p_reason text)
returns table (code text, id bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	said text;
	made bigint;
begin
	select * into w from authn.who(p_token);
	said := coalesce(w.code, 'no_session');
	if said = 'ok' then
		said := case
		when change.may_propose(p_kind, w.roles) is not true then 'not_role'
		when change.fits(p_kind, p_subject) is not true then 'bad_subject'
		when (length(p_reason) between 10 and 500) is not true then 'bad_reason'
		else 'ok' end;
	end if;
	if said = 'ok' then
		insert into change.proposal as p (kind, subject, beneficiaries,
			diff, proposed_by)
		values (p_kind, p_subject, coalesce(p_beneficiaries, '{}'),
			left(coalesce(p_diff, ''), 20000), w.handle)
		returning p.id into made;
	end if;
	perform audit.append('propose', said, w.handle,
		p_subject => p_kind || ':' || p_subject,
		p_words => p_reason, p_detail => 'proposal ' || made);
	return query select said, made;
end
$$;

create function change.approve(p_token bytea, p_id bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	p change.proposal;
	said text;
begin
	select * into w from authn.who(p_token, null, interval '8 hours');
	select * into p from change.proposal o where o.id = p_id for update;
	said := case
		when coalesce(w.code, 'no_session') <> 'ok'
			then coalesce(w.code, 'no_session')
		when p.id is null then 'unknown_proposal'
		when change.may_approve(p.kind, w.roles) is not true then 'not_role'
		when p.proposed_by is not distinct from w.handle then 'own_proposal'
		when (w.handle = any (p.beneficiaries)) is not false then 'beneficiary'
		when p.approved_by is not null then 'approved_before'
		when p.withdrawn_at is not null then 'withdrawn'
		when (p.expires_at > clock_timestamp()) is not true then 'expired_proposal'
		else 'ok' end;
	if said = 'ok' then
		update change.proposal o set approved_by = w.handle,
			approved_at = clock_timestamp() where o.id = p_id;
		if p.kind = 'setting' then
			update change.setting s
			set value = split_part(p.subject, '=', 2)
			where s.name = split_part(p.subject, '=', 1);
		end if;
	end if;
	perform audit.append('approve', said, w.handle,
		p_subject => p.kind || ':' || p.subject,
		p_detail => 'proposal ' || p_id);
	return said;
end
$$;

create function change.withdraw(p_token bytea, p_id bigint, p_reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	p change.proposal;
	said text;
begin
	select * into w from authn.who(p_token);
	select * into p from change.proposal o where o.id = p_id for update;
	said := case
		when coalesce(w.code, 'no_session') <> 'ok'
			then coalesce(w.code, 'no_session')
		when p.id is null then 'unknown_proposal'
		when (p.proposed_by = w.handle
			or change.may_approve(p.kind, w.roles)) is not true then 'not_role'
		when p.approved_by is not null then 'approved_before'
		when p.withdrawn_at is not null then 'withdrawn'
		else 'ok' end;
	if said = 'ok' then
		update change.proposal o set withdrawn_at = clock_timestamp()
			where o.id = p_id;
	end if;
	perform audit.append('withdraw', said, w.handle,
		p_subject => p.kind || ':' || p.subject,
		p_words => p_reason, p_detail => 'proposal ' || p_id);
	return said;
end
$$;

create function change.proposals(p_token bytea)
returns table (code text, id bigint, kind text, subject text, diff text,
	proposed_by text, proposed_at timestamptz, expires_at timestamptz,
	approved_by text, approved_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	if (w.code = 'ok'
		and w.roles && array['manager', 'engineer', 'admin', 'auditor']) is not true then
		code := case when w.code = 'ok' then 'not_role'
			else coalesce(w.code, 'no_session') end;
		return next;
		return;
	end if;
	return query select 'ok', p.id, p.kind, p.subject, p.diff, p.proposed_by,
		p.proposed_at, p.expires_at, p.approved_by, p.approved_at
	from change.proposal p where p.withdrawn_at is null
		and (p.approved_at is not null or p.expires_at > clock_timestamp())
	order by p.id desc limit 200;
end
$$;
grant execute on function
	change.propose(bytea, text, text, text[], text, text),
	change.approve(bytea, bigint), change.withdraw(bytea, bigint, text),
	change.proposals(bytea) to tollwatch_console;

-- The content in use from now on.  ok, same: it was in use already, or
-- not_approved: it is in use all the same (a running site cannot be made to
-- forget), and the record says so.
create function change.in_use(p_kind text, p_sha256 text, p_diff text, p_actor text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	before change.config;
	fine boolean;
begin
	select * into before from change.config c where c.kind = p_kind
		order by c.id desc limit 1;
	if before.sha256 is not distinct from p_sha256 then
		return 'same';
	end if;
	fine := change.get('two_persons_' || p_kind) is not distinct from 'off'
		or change.approved(p_kind, p_sha256);
	insert into change.config (kind, sha256, diff, actor, approved)
	values (p_kind, p_sha256, left(coalesce(p_diff, ''), 20000), p_actor, fine);
	perform audit.append('config', case when fine then 'ok' else 'not_approved' end,
		p_actor, p_subject => p_kind || ':' || p_sha256,
		p_words => nullif(left(p_diff, 2000), ''),
		p_detail => 'before: ' || coalesce(before.sha256, 'none'));
	return case when fine then 'ok' else 'not_approved' end;
end
$$;
grant execute on function change.in_use(text, text, text, text) to tollwatch_writer;

reset role;
set local role tollwatch_writer;

create function alerter.config(p_kind text, p_sha256 text, p_diff text, p_actor text)
returns text
language sql security definer set search_path = pg_catalog, pg_temp as $$
	select change.in_use(p_kind, p_sha256, p_diff, p_actor);
$$;
create function alerter.config_approved(p_kind text, p_sha256 text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select change.get('two_persons_' || p_kind) is not distinct from 'off'
		or change.approved(p_kind, p_sha256);
$$;
grant execute on function alerter.config(text, text, text, text),
	alerter.config_approved(text, text) to tollwatch_alerter;
reset role;

comment on function change.propose(bytea, text, text, text[], text, text) is
	'Put a rota, a config or a setting before another person.';
comment on function change.approve(bytea, bigint) is
	'Agree to it; never the proposer, never who gains by it.';
comment on function change.in_use(text, text, text, text) is
	'Record which content is in use; ok, same or not_approved.';
comment on table change.setting is 'Which changes want two persons.';
comment on column change.setting.name is 'Setting [class: operational; keep: for ever]';
comment on column change.setting.value is 'on, off [class: operational; keep: for ever]';
comment on column change.setting.says is 'What it does [class: operational; keep: for ever]';
comment on table change.proposal is 'What one proposed, and another approved or not.';
comment on column change.proposal.id is 'Number that people say [class: operational; keep: 25 months]';
comment on column change.proposal.kind is 'rota, threshold, setting [class: operational; keep: 25 months]';
comment on column change.proposal.subject is 'SHA-256 of the content, or name=value [class: operational; keep: 25 months]';
comment on column change.proposal.beneficiaries is 'Handles of those who gain access by it [class: personal; keep: 25 months]';
comment on column change.proposal.diff is 'What differs from the content in use, as lines [class: personal; keep: 25 months]';
comment on column change.proposal.proposed_by is 'Handle [class: personal; keep: 25 months]';
comment on column change.proposal.proposed_at is 'When [class: operational; keep: 25 months]';
comment on column change.proposal.expires_at is 'Not to be approved after [class: operational; keep: 25 months]';
comment on column change.proposal.approved_by is 'Handle, another; null: nobody yet [class: personal; keep: 25 months]';
comment on column change.proposal.approved_at is 'When [class: operational; keep: 25 months]';
comment on column change.proposal.withdrawn_at is 'When it was taken back [class: operational; keep: 25 months]';
comment on table change.config is 'Contents in use, one after the other.';
comment on column change.config.id is 'Order [class: operational; keep: 25 months]';
comment on column change.config.kind is 'rota, threshold [class: operational; keep: 25 months]';
comment on column change.config.sha256 is 'Of the content [class: operational; keep: 25 months]';
comment on column change.config.diff is 'From the one before, as lines [class: personal; keep: 25 months]';
comment on column change.config.actor is 'Who put it in use, as far as known [class: personal; keep: 25 months]';
comment on column change.config.approved is 'It was approved, or needed nobody [class: operational; keep: 25 months]';
comment on column change.config.from_at is 'In use from [class: operational; keep: 25 months]';
