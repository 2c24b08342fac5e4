-- SPDX-License-Identifier: Apache-2.0
-- All that happened, in the order in which it was told.  Rows are added and
-- nothing else: not even the owner changes one.

set local role tollwatch_core;

create table core.timeline (
	id bigint generated always as identity primary key,
	stream text not null,
	position bigint not null,
	n integer not null,
	incident bigint references core.incident,
	at timestamptz not null,
	kind text not null,
	person text,
	text text not null,
	detail jsonb not null,
	recorded_at timestamptz not null default clock_timestamp(),
	unique (stream, position, n)
);
create index timeline_incident on core.timeline (incident, id);

create function core.refuse() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	raise exception '%.% is append-only: % refused',
		tg_table_schema, tg_table_name, tg_op
		using errcode = 'insufficient_privilege';
end
$$;

-- Of the statement, so that one that would touch no row is refused too;
-- always, so that session_replication_role = replica does not silence it.
create trigger timeline_append_only
	before update or delete or truncate on core.timeline
	for each statement execute function core.refuse();
alter table core.timeline enable always trigger timeline_append_only;

grant select, insert on core.timeline to tollwatch_writer;
grant select (id, incident, at, kind, person, text, recorded_at)
	on core.timeline to tollwatch_masked;

comment on table core.timeline is 'Append-only: all that happened to an incident, who, when, by which channel.';
comment on column core.timeline.id is 'Order of recording [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.stream is 'Outbox that told it [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.position is 'Entry in that outbox [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.n is 'Fact in that entry, from 1 [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.incident is 'Incident; null: a test page, or one we do not know [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.at is 'When it happened, by the site''s clock [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.kind is 'opened, finding, queued, attempt... [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.person is 'Who was told, or did it: handle [class: personal; keep: 13 months after the incident closed]';
comment on column core.timeline.text is 'One line without numbers, addresses or people''s words [class: operational; keep: 13 months after the incident closed]';
comment on column core.timeline.detail is 'The fact as told, without calls and addresses; may hold a note [class: personal; keep: 13 months after the incident closed]';
comment on column core.timeline.recorded_at is 'When it came here, by the database''s clock [class: operational; keep: 13 months after the incident closed]';
