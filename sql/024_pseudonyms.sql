-- SPDX-License-Identifier: Apache-2.0
-- A wall screen shows which incidents are of one customer, not of which:
-- account, subject and trunk stand there under a name that is theirs for the
-- month in which the incident opened.
--
-- The name is keyed (HMAC-SHA-256), or a list of accounts would undo it in a
-- second; and it is made when the row is written, since a function that made
-- it for a reader would answer a list of guesses.

create table core.pseudonym_key (
	only_one boolean primary key default true check (only_one),
	key bytea not null default crypto.gen_random_bytes(32)
);
alter table core.pseudonym_key owner to tollwatch_core;
insert into core.pseudonym_key default values;
grant select (key) on core.pseudonym_key to tollwatch_writer;

alter table core.incident
	add column account_pseudonym text,
	add column subject_pseudonym text,
	add column trunk_pseudonym text;

set local role tollwatch_writer;

create function fact.pseudonym(p_kind text, p_value text, p_at timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select p_kind || '-' || left(encode(crypto.hmac(
			convert_to(p_kind || ':' || p_value, 'UTF8'),
			crypto.hmac(convert_to(to_char(p_at at time zone 'UTC',
				'YYYY-MM'), 'UTF8'), k.key, 'sha256'),
			'sha256'), 'hex'), 10)
	from core.pseudonym_key k;
$$;

-- 'account:acme' -> 'account:a-1f...'; a feed or the platform is no customer.
create function fact.subject_pseudonym(p_subject text, p_account text,
	p_at timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select case
	when p_subject ~ '^(platform|feed)(:|$)' then p_subject
	when p_subject ~ '^account:' then 'account:'
		|| fact.pseudonym('a', substr(p_subject, 9), p_at)
	else split_part(p_subject, ':', 1) || ':'
		|| fact.pseudonym('s', p_subject, p_at)
	end;
$$;

create function fact.name_incident() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		new.account_pseudonym :=
			fact.pseudonym('a', new.account, new.opened_at);
		new.subject_pseudonym := fact.subject_pseudonym(new.subject,
			new.account, new.opened_at);
	end if;
	new.trunk_pseudonym := fact.pseudonym('t', new.trunk, new.opened_at);
	return new;
end
$$;

reset role;
grant usage on schema fact to tollwatch_core;
grant execute on function fact.name_incident() to tollwatch_core;
set local role tollwatch_core;
create trigger incident_named before insert or update of trunk on core.incident
	for each row execute function fact.name_incident();
reset role;
revoke usage on schema fact from tollwatch_core;
revoke execute on function fact.name_incident() from tollwatch_core;

update core.incident i set
	account_pseudonym = fact.pseudonym('a', i.account, i.opened_at),
	subject_pseudonym = fact.subject_pseudonym(i.subject, i.account, i.opened_at),
	trunk_pseudonym = fact.pseudonym('t', i.trunk, i.opened_at);

grant select (account_pseudonym, subject_pseudonym, trunk_pseudonym)
	on core.incident to tollwatch_masked;

set local role tollwatch_masked;

create or replace view noc.incident with (security_barrier) as
select i.finding as id, i.ref, i.severity, i.state, i.family,
	i.subject_pseudonym as subject, i.account_pseudonym as account,
	i.account_masked as account_name, i.trunk_pseudonym as trunk,
	i.rule, i.title,
	i.opened_at, i.acked_at, coalesce(a.name, i.acked_by) as acked_by,
	i.ack_until, i.resolved_at, coalesce(r.name, i.resolved_by) as resolved_by,
	extract(epoch from i.first_acked_at - i.opened_at)::bigint as mtta_s,
	extract(epoch from i.resolved_at - i.opened_at)::bigint as duration_s,
	i.exposure_at, i.exposure_gbp, i.exposure_retail_gbp, i.burn_gbp_min,
	i.projection_gbp, i.exposure_gbp_at_first_page, i.exposure_gbp_at_page,
	i.calls, i.live_calls, i.findings, i.top_country, i.verdict,
	i.nobody_at, i.config_version
from core.incident i
	left join core.person a on a.handle = i.acked_by and a.valid_until is null
	left join core.person r on r.handle = i.resolved_by and r.valid_until is null;

-- The line of an opening ends in the subject.
create or replace view noc.incident_timeline with (security_barrier) as
select t.id, t.at as time, i.finding as incident_id, i.ref, t.kind,
	coalesce(p.name, t.person) as actor,
	case t.kind when 'opened' then regexp_replace(t.text, ',.*$', '')
		|| coalesce(', ' || i.subject_pseudonym, '')
		else t.text end as text,
	t.recorded_at
from core.timeline t
	join core.incident i on i.id = t.incident
	left join core.person p on p.handle = t.person and p.valid_until is null;

reset role;
revoke select (account, subject, trunk) on core.incident from tollwatch_masked;

comment on table core.pseudonym_key is 'One row: the key of the names on wall screens.';
comment on column core.pseudonym_key.only_one is 'There is one row [class: operational; keep: for ever]';
comment on column core.pseudonym_key.key is 'Random; whoever has it can undo the names [class: operational; keep: for ever]';
comment on column core.incident.account_pseudonym is 'Name of the account on wall screens, for this month [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.subject_pseudonym is 'Name of the subject there [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.trunk_pseudonym is 'Name of the trunk there [class: customer; keep: 13 months after resolved_at]';
comment on column noc.incident.account is 'The account''s name of the month, the same in all its incidents [class: operational; keep: as its table]';
comment on column noc.incident.subject is 'What is in trouble, under its name of the month [class: operational; keep: as its table]';
comment on column noc.incident.trunk is 'The trunk''s name of the month [class: operational; keep: as its table]';
comment on column noc.incident_open.account is 'The account''s name of the month, the same in all its incidents [class: operational; keep: as its table]';
comment on column noc.incident_open.subject is 'What is in trouble, under its name of the month [class: operational; keep: as its table]';
comment on column noc.incident_open.trunk is 'The trunk''s name of the month [class: operational; keep: as its table]';
