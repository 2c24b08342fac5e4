-- SPDX-License-Identifier: Apache-2.0
-- Who works here, on whose authority and until when, in which role, and from
-- which networks.
--
--   oncall    is paged, and looks into the incidents they are paged for
--   manager   assigns incidents, reviews break-glass, approves
--   engineer  proposes and approves thresholds; sees no person, no number
--   auditor   reads the log; dpo: the rights of those whose data it is
--   admin     adds staff and gives roles; sees no personal data by that
--   noc       for people who may look at the masked views

set local role tollwatch_authn;

create table authn.staff (
	id bigint generated always as identity primary key,
	handle text not null unique check (handle ~ '^[a-z0-9][a-z0-9_.-]{0,30}$'),
	name text not null check (length(name) between 1 and 80),
	kind text not null default 'human' check (kind in ('human', 'service')),
	authority text not null check (length(authority) between 3 and 200),
	authority_until timestamptz,
	active boolean not null default true,
	made_by text not null,
	made_at timestamptz not null default clock_timestamp(),
	ended_at timestamptz,
	check (active or ended_at is not null)
);

create table authn.role_name (
	role text primary key
);
insert into authn.role_name values ('oncall'), ('manager'), ('engineer'),
	('auditor'), ('dpo'), ('admin'), ('noc');

create table authn.role (
	id bigint generated always as identity primary key,
	staff bigint not null references authn.staff,
	role text not null references authn.role_name,
	granted_by text not null,
	approved_by text,
	"from" timestamptz not null default clock_timestamp(),
	until timestamptz,
	check (until > "from")
);
create index role_staff on authn.role (staff);

-- No row for a role: from anywhere.
create table authn.network (
	role text not null references authn.role_name,
	network cidr not null,
	primary key (role, network)
);

create table authn.setting (
	name text primary key,
	value interval not null
);
insert into authn.setting values
	('session_lasts', '12 hours'), ('session_idle', '30 minutes'),
	('lock', '15 minutes'), ('enrolment_lasts', '24 hours'),
	('proposal_lasts', '7 days');

create function authn.span(p_name text) returns interval
language sql stable set search_path = pg_catalog, pg_temp as $$
	select s.value from authn.setting s where s.name = p_name;
$$;

create function authn.may_work(s authn.staff) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
	select (s.active and s.kind = 'human' and (s.authority_until is null
		or s.authority_until > clock_timestamp())) is true;
$$;

create function authn.roles_of(p_staff bigint) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
	select coalesce(array_agg(distinct r.role order by r.role), '{}')
	from authn.role r
	where r.staff = p_staff and r."from" <= clock_timestamp()
		and (r.until is null or r.until > clock_timestamp());
$$;

-- Of these, those which may be used from this address; null: it is not known.
create function authn.roles_from(p_roles text[], p_address inet) returns text[]
language sql stable set search_path = pg_catalog, pg_temp as $$
	select coalesce(array_agg(r order by r), '{}') from unnest(p_roles) r
	where not exists (select from authn.network n where n.role = r)
		or exists (select from authn.network n
			where n.role = r and (p_address <<= n.network) is true);
$$;

reset role;

comment on table authn.staff is 'Everybody who may log in, and who could.';
comment on column authn.staff.id is 'Key [class: operational; keep: 25 months after ended_at]';
comment on column authn.staff.handle is 'Name they log in with; that of people in the config [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.name is 'As shown to colleagues [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.kind is 'human, service [class: operational; keep: 25 months after ended_at]';
comment on column authn.staff.authority is 'Contract or agreement under which they work [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.authority_until is 'When it ends; null: no end agreed [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.active is 'False: has left [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.made_by is 'Handle of who added them [class: personal; keep: 25 months after ended_at]';
comment on column authn.staff.made_at is 'When [class: operational; keep: 25 months after ended_at]';
comment on column authn.staff.ended_at is 'When they left [class: personal; keep: 25 months after ended_at]';
comment on table authn.role_name is 'The roles there are.';
comment on column authn.role_name.role is 'Name [class: operational; keep: for ever]';
comment on table authn.role is 'Roles given, also those that have ended.';
comment on column authn.role.id is 'Key [class: operational; keep: 25 months after until]';
comment on column authn.role.staff is 'To whom [class: operational; keep: 25 months after until]';
comment on column authn.role.role is 'Which [class: operational; keep: 25 months after until]';
comment on column authn.role.granted_by is 'Handle [class: personal; keep: 25 months after until]';
comment on column authn.role.approved_by is 'Handle of another; null: nobody was needed [class: personal; keep: 25 months after until]';
comment on column authn.role."from" is 'Since when [class: operational; keep: 25 months after until]';
comment on column authn.role.until is 'Until when; null: no end set [class: operational; keep: 25 months after until]';
comment on table authn.network is 'Where a role may be used from.';
comment on column authn.network.role is 'Role [class: operational; keep: for ever]';
comment on column authn.network.network is 'Network, of the provider''s VPN [class: operational; keep: for ever]';
comment on table authn.setting is 'How long things last.';
comment on column authn.setting.name is 'Which [class: operational; keep: for ever]';
comment on column authn.setting.value is 'How long [class: operational; keep: for ever]';
