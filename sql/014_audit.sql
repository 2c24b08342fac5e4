-- SPDX-License-Identifier: Apache-2.0
-- The log of every look and every act.
--
-- An event is written in the transaction of what it is about.  At commit, and
-- not before, it is sealed: linked to the one before it in its stream by
-- SHA-256.  A stream belongs to one login, so that an auditor who sits idle in
-- a transaction, or a session that seals early, holds up nobody else.
--
-- What is hashed is the encoding of audit.encode, which
-- launch/audit_chain.c writes byte for byte:
--   0x00 "TWAUD1", then each field as a length (4 bytes, network order) and
--   its bytes; null is the length 0xffffffff; numbers are 8 bytes in network
--   order, times microseconds since 1970, text UTF-8.
-- People's own words are kept beside the chain, which holds their salted hash
-- only: erasing them breaks nothing.

set local role tollwatch_audit;

create table audit.site (
	only_one boolean primary key default true check (only_one),
	id uuid not null default gen_random_uuid()
);
insert into audit.site default values;

create table audit.event (
	id bigint generated always as identity primary key,
	stream text not null,
	at timestamptz not null default clock_timestamp(),
	actor text,
	login text not null default session_user,
	action text not null,
	code text not null,
	incident bigint,
	ticket bigint,
	authority text,
	subject text,
	purpose text,
	fields text,
	words_hash bytea,
	detail text
);
create index event_at on audit.event (at);
create index event_actor on audit.event (actor, at);
create index event_incident on audit.event (incident) where incident is not null;

create table audit.words (
	event bigint primary key,
	salt bytea not null,
	words text
);

create table audit.link (
	stream text not null,
	seq bigint not null check (seq > 0),
	event bigint not null unique,
	prev_hash bytea not null unique,
	row_hash bytea not null unique,
	primary key (stream, seq)
);

create table audit.head (
	stream text primary key,
	seq bigint not null,
	hash bytea not null
);

create function audit.refuse() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	raise exception '%.% is append-only: % refused',
		tg_table_schema, tg_table_name, tg_op
		using errcode = 'insufficient_privilege';
end
$$;
create trigger event_append_only before update or delete or truncate
	on audit.event for each statement execute function audit.refuse();
create trigger link_append_only before update or delete or truncate
	on audit.link for each statement execute function audit.refuse();
create trigger site_for_ever before update or delete or truncate
	on audit.site for each statement execute function audit.refuse();
create trigger head_stays before delete or truncate
	on audit.head for each statement execute function audit.refuse();
create trigger words_stay before delete or truncate
	on audit.words for each statement execute function audit.refuse();
alter table audit.event enable always trigger event_append_only;
alter table audit.link enable always trigger link_append_only;
alter table audit.site enable always trigger site_for_ever;
alter table audit.head enable always trigger head_stays;
alter table audit.words enable always trigger words_stay;

create function audit.field(p bytea) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select case when p is null then '\xffffffff'::bytea
		else int4send(length(p)) || p end;
$$;
create function audit.field(p text) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
	select audit.field(convert_to(p, 'UTF8'));
$$;
create function audit.field(p bigint) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select audit.field(int8send(p));
$$;

create function audit.encode(p_prev bytea, p_seq bigint, e audit.event)
returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
	select '\x00545741554431'::bytea || audit.field(p_prev)
		|| audit.field(e.stream) || audit.field(p_seq)
		|| audit.field(e.id)
		|| audit.field((extract(epoch from e.at) * 1000000)::bigint)
		|| audit.field(e.actor) || audit.field(e.login)
		|| audit.field(e.action) || audit.field(e.code)
		|| audit.field(e.incident) || audit.field(e.ticket)
		|| audit.field(e.authority) || audit.field(e.subject)
		|| audit.field(e.purpose) || audit.field(e.fields)
		|| audit.field(e.words_hash) || audit.field(e.detail);
$$;

-- What a stream's first event follows: not the same in two databases.
create function audit.genesis(p_stream text) returns bytea
language sql stable set search_path = pg_catalog, pg_temp as $$
	select sha256(convert_to('TWAUD1:' || s.id || ':' || p_stream, 'UTF8'))
	from audit.site s;
$$;

create function audit.seal() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	h audit.head;
	sealed bytea;
begin
	insert into audit.head (stream, seq, hash)
		values (new.stream, 0, audit.genesis(new.stream))
		on conflict do nothing;
	select * into h from audit.head o where o.stream = new.stream for update;
	sealed := sha256(audit.encode(h.hash, h.seq + 1, new));
	insert into audit.link (stream, seq, event, prev_hash, row_hash)
		values (new.stream, h.seq + 1, new.id, h.hash, sealed);
	update audit.head o set seq = h.seq + 1, hash = sealed
		where o.stream = new.stream;
	return null;
end
$$;
create constraint trigger event_sealed after insert on audit.event
	deferrable initially deferred for each row execute function audit.seal();
alter table audit.event enable always trigger event_sealed;

create function audit.stream_of(p_login text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select case p_login
	when 'tollwatch_console' then 'access'
	when 'tollwatch_alerter' then 'alerter'
	when 'tollwatch_auditor' then 'auditor'
	when 'tollwatch_dpo' then 'dpo'
	when 'tollwatch_checkpoint' then 'checkpoint'
	else 'config' end;
$$;

-- One line: a control character in it would be a way to write two.
create function audit.line(p text) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select regexp_replace(p, '[\x01-\x1f\x7f]', '?', 'g');
$$;

create function audit.append(p_action text, p_code text, p_actor text,
	p_incident bigint default null, p_ticket bigint default null,
	p_authority text default null, p_subject text default null,
	p_purpose text default null, p_fields text[] default null,
	p_words text default null, p_detail text default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	salt bytea := crypto.gen_random_bytes(16);
	words text := audit.line(p_words);
	made bigint;
begin
	insert into audit.event (stream, actor, action, code, incident, ticket,
		authority, subject, purpose, fields, words_hash, detail)
	values (audit.stream_of(session_user), audit.line(p_actor),
		audit.line(p_action), audit.line(p_code), p_incident, p_ticket,
		audit.line(p_authority), audit.line(p_subject),
		audit.line(p_purpose),
		audit.line(array_to_string(p_fields, ',', '')),
		sha256(salt || convert_to(words, 'UTF8')), audit.line(p_detail))
	returning id into made;
	if words is not null then
		insert into audit.words (event, salt, words)
			values (made, salt, words);
	end if;
	return made;
end
$$;
grant execute on function audit.append(text, text, text, bigint, bigint, text,
	text, text, text[], text, text)
	to tollwatch_authn, tollwatch_access, tollwatch_change, tollwatch_writer;
comment on function audit.append(text, text, text, bigint, bigint, text, text,
	text, text[], text, text) is
	'Write an event, as part of the caller''s transaction; its id.';

-- What is changed of the schema itself, by whoever may.
create function audit.ddl() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	c record;
begin
	for c in select d.command_tag, d.object_identity, d.schema_name
		from pg_event_trigger_ddl_commands() d
	loop
		if c.schema_name is distinct from 'pg_temp' then
			perform audit.append('ddl', 'ok', session_user::text,
				p_subject => c.object_identity,
				p_detail => c.command_tag);
		end if;
	end loop;
end
$$;
create function audit.dropped() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	c record;
begin
	for c in select d.object_type, d.object_identity
		from pg_event_trigger_dropped_objects() d
		where d.original and not d.is_temporary
	loop
		perform audit.append('ddl', 'ok', session_user::text,
			p_subject => c.object_identity,
			p_detail => 'DROP ' || upper(c.object_type));
	end loop;
end
$$;

reset role;
create event trigger audit_ddl on ddl_command_end execute function audit.ddl();
create event trigger audit_dropped on sql_drop execute function audit.dropped();
alter event trigger audit_ddl enable always;
alter event trigger audit_dropped enable always;

comment on table audit.site is 'One row: which deployment this is.';
comment on column audit.site.only_one is 'There is one row [class: operational; keep: for ever]';
comment on column audit.site.id is 'Random; part of what the first event of a stream follows [class: operational; keep: for ever]';
comment on table audit.event is 'Append-only: every look at personal data, every act, every refusal.';
comment on column audit.event.id is 'Key [class: operational; keep: 13 months]';
comment on column audit.event.stream is 'Chain it belongs to; one for each login [class: operational; keep: 13 months]';
comment on column audit.event.at is 'When, by the database''s clock [class: operational; keep: 13 months]';
comment on column audit.event.actor is 'Handle of the person; null: nobody known [class: personal; keep: 13 months]';
comment on column audit.event.login is 'Role that was logged in [class: operational; keep: 13 months]';
comment on column audit.event.action is 'login, disclose_request, verdict... [class: operational; keep: 13 months]';
comment on column audit.event.code is 'ok, or why it was refused [class: operational; keep: 13 months]';
comment on column audit.event.incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column audit.event.ticket is 'access.ticket.id [class: operational; keep: 13 months]';
comment on column audit.event.authority is 'shift, assigned, break-glass... with its id [class: operational; keep: 13 months]';
comment on column audit.event.subject is 'Whom or what it was done to: a handle, an action, a hash [class: personal; keep: 13 months]';
comment on column audit.event.purpose is 'Why, of a fixed list [class: operational; keep: 13 months]';
comment on column audit.event.fields is 'Which fields, with commas [class: operational; keep: 13 months]';
comment on column audit.event.words_hash is 'SHA-256 of salt and words [class: operational; keep: 13 months]';
comment on column audit.event.detail is 'More, without personal data [class: operational; keep: 13 months]';
comment on table audit.words is 'Reasons as they were typed; may be erased, the chain holds their hash.';
comment on column audit.words.event is 'Whose [class: operational; keep: 13 months]';
comment on column audit.words.salt is 'Hashed before the words [class: operational; keep: 13 months]';
comment on column audit.words.words is 'As typed; null: erased [class: personal; keep: 13 months]';
comment on table audit.link is 'Append-only: the chain of each stream.';
comment on column audit.link.stream is 'Chain [class: operational; keep: 13 months]';
comment on column audit.link.seq is 'Place in it, from 1, without gaps [class: operational; keep: 13 months]';
comment on column audit.link.event is 'What is linked [class: operational; keep: 13 months]';
comment on column audit.link.prev_hash is 'row_hash of the one before [class: operational; keep: 13 months]';
comment on column audit.link.row_hash is 'SHA-256 of audit.encode [class: operational; keep: 13 months]';
comment on table audit.head is 'Last link of each stream.';
comment on column audit.head.stream is 'Chain [class: operational; keep: for ever]';
comment on column audit.head.seq is 'Links in it [class: operational; keep: for ever]';
comment on column audit.head.hash is 'row_hash of the last [class: operational; keep: for ever]';
