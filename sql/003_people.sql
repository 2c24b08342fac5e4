-- SPDX-License-Identifier: Apache-2.0
-- Who is told, and where.  The config is where they are changed; a row here is
-- never changed but closed, so that an old page can be read with the names of
-- its day.

set local role tollwatch_core;

create table core.person (
	id bigint generated always as identity primary key,
	handle text not null check (handle <> ''),
	name text not null,
	login text,
	valid_from timestamptz not null default clock_timestamp(),
	valid_until timestamptz
);
create unique index person_now on core.person (handle) where valid_until is null;

create table core.contact (
	id bigint generated always as identity primary key,
	person bigint not null references core.person,
	channel text not null,
	target text not null,
	after_s integer not null default 0 check (after_s >= 0),
	valid_from timestamptz not null default clock_timestamp(),
	valid_until timestamptz
);
create index contact_person on core.contact (person);

grant select, insert on core.person, core.contact to tollwatch_writer;
grant update (valid_until) on core.person, core.contact to tollwatch_writer;
grant select (handle, name, valid_until) on core.person to tollwatch_masked;

comment on table core.person is 'Staff who may be paged, as the config has and had them.';
comment on column core.person.id is 'Key [class: operational; keep: 13 months after valid_until]';
comment on column core.person.handle is 'Name in the config [class: personal; keep: 13 months after valid_until]';
comment on column core.person.name is 'As shown to colleagues [class: personal; keep: 13 months after valid_until]';
comment on column core.person.login is 'Account on this machine [class: personal; keep: 13 months after valid_until]';
comment on column core.person.valid_from is 'When the config first said so [class: operational; keep: 13 months after valid_until]';
comment on column core.person.valid_until is 'When it no longer did; null: it still does [class: operational; keep: 13 months after valid_until]';

comment on table core.contact is 'Where a person is told, in which order.';
comment on column core.contact.id is 'Key [class: operational; keep: 13 months after valid_until]';
comment on column core.contact.person is 'Whose [class: operational; keep: 13 months after valid_until]';
comment on column core.contact.channel is 'email, webhook [class: operational; keep: 13 months after valid_until]';
comment on column core.contact.target is 'Address, or the name of a webhook [class: personal; keep: 13 months after valid_until]';
comment on column core.contact.after_s is 'Told this long after the first contact [class: operational; keep: 13 months after valid_until]';
comment on column core.contact.valid_from is 'When the config first said so [class: operational; keep: 13 months after valid_until]';
comment on column core.contact.valid_until is 'When it no longer did; null: it still does [class: operational; keep: 13 months after valid_until]';
