-- SPDX-License-Identifier: Apache-2.0
-- How far each outbox has been taken.  Its mark moves in the transaction that
-- applies the entry: that is what makes "once" and "in order" true.

set local role tollwatch_core;

create table core.entry_mark (
	stream text primary key check (stream <> ''),
	position bigint not null check (position >= 0),
	entries bigint not null default 0,
	updated_at timestamptz not null default clock_timestamp()
);
grant select, insert, update on core.entry_mark to tollwatch_writer;

comment on table core.entry_mark is 'Last applied entry of each outbox.';
comment on column core.entry_mark.stream is 'The outbox''s own random id [class: operational; keep: for ever]';
comment on column core.entry_mark.position is 'After the last applied entry [class: operational; keep: for ever]';
comment on column core.entry_mark.entries is 'Entries applied [class: operational; keep: for ever]';
comment on column core.entry_mark.updated_at is 'When the last one was [class: operational; keep: for ever]';

reset role;
set local role tollwatch_writer;

create function alerter.position(p_stream text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select coalesce((select m.position from core.entry_mark m
		where m.stream = p_stream), 0);
$$;

create function alerter.next_ref() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select coalesce(max(i.ref), 0) + 1 from core.incident i;
$$;

grant execute on function alerter.position(text), alerter.next_ref() to tollwatch_alerter;

comment on function alerter.position(text) is 'Position after the last applied entry of an outbox; 0: none.';
comment on function alerter.next_ref() is 'First reference that no incident has.';
