-- SPDX-License-Identifier: Apache-2.0
-- What is told of the log, and to whom.
--
--   tollwatch_checkpoint  the chains without people's words, their heads, and
--                         a fingerprint of the catalogue: what is signed and
--                         kept outside, and what it is verified against
--   tollwatch_auditor     events with words, for a person with the role, a
--                         reason and a time span; asked for in one transaction
--                         and shown in a later one, so that no look at the log
--                         is without its own line in it
--   tollwatch_alerter     how old the last checkpoint is
--
-- Whoever swaps audit.fingerprint itself is seen too: launch/audit_source.c
-- asks for the definition of the functions here and signs its hash as well.

set local role tollwatch_audit;

-- An ACL that does not depend on the order in which it was granted.
create function audit.acl(p aclitem[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select string_agg(a::text, ',' order by a::text collate "C")
	from unnest(p) a;
$$;

create function audit.sorted(p text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select string_agg(a, ',' order by a collate "C") from unnest(p) a;
$$;

-- Everything that a superuser could change so that more is seen, or less is
-- written down; by name, never by oid.  System schemas are in it: a swapped
-- pg_catalog.sha256 or pg_roles would be as good as any.
create function audit.catalogue()
returns table (kind text, name text, def text)
language sql stable set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off set timezone = 'UTC' set datestyle = 'ISO'
set intervalstyle = 'postgres' set bytea_output = 'hex'
set standard_conforming_strings = on set extra_float_digits = 1 as $$
	with space as (
		select n.oid, n.nspname, n.nspowner, n.nspacl from pg_namespace n
		where n.nspname !~ '^pg_(toast|temp)'
	), rel as (
		select c.*, format('%I.%I', s.nspname, c.relname) as name
		from pg_class c join space s on s.oid = c.relnamespace
	)
	select 'schema', s.nspname::text,
		row(pg_get_userbyid(s.nspowner), audit.acl(s.nspacl))::text
	from space s
	union all
	select 'relation', r.name, row(r.relkind, pg_get_userbyid(r.relowner),
		audit.acl(r.relacl), r.relpersistence, r.relrowsecurity,
		r.relforcerowsecurity, r.relreplident, audit.sorted(r.reloptions),
		case when r.relkind in ('v', 'm')
			then pg_get_viewdef(r.oid, false) end,
		case when r.relkind in ('i', 'I') and r.oid >= 16384
			then pg_get_indexdef(r.oid) end)::text
	from rel r
	union all
	select 'column', r.name || '.' || quote_ident(a.attname),
		row(format_type(a.atttypid, a.atttypmod), a.attnotnull,
		a.attidentity, a.attgenerated, audit.acl(a.attacl),
		pg_get_expr(d.adbin, d.adrelid, false))::text
	from rel r join pg_attribute a on a.attrelid = r.oid
		left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
	where a.attnum > 0 and not a.attisdropped
		and (r.oid >= 16384 or a.attacl is not null)
	union all
	select 'function', p.oid::regprocedure::text,
		row(p.prokind, pg_get_userbyid(p.proowner), audit.acl(p.proacl),
		p.prosecdef, p.proleakproof, p.proisstrict, p.provolatile,
		p.proparallel, l.lanname, audit.sorted(p.proconfig),
		p.prorettype::regtype, p.proretset,
		pg_get_function_arguments(p.oid), p.probin, p.prosrc,
		pg_get_function_sqlbody(p.oid), p.prosupport::regproc,
		g.aggtransfn::regproc, g.aggfinalfn::regproc)::text
	from pg_proc p join space s on s.oid = p.pronamespace
		join pg_language l on l.oid = p.prolang
		left join pg_aggregate g on g.aggfnoid = p.oid
	union all
	-- Names of internal triggers have oids in them.
	select 'trigger', r.name, row(t.tgenabled, t.tgtype, t.tgisinternal,
		t.tgfoid::regproc, k.conname,
		case when not t.tgisinternal then t.tgname end,
		case when not t.tgisinternal
			then pg_get_triggerdef(t.oid, false) end)::text
	from rel r join pg_trigger t on t.tgrelid = r.oid
		left join pg_constraint k on k.oid = t.tgconstraint
	union all
	select 'event trigger', t.evtname::text, row(t.evtevent, t.evtenabled,
		pg_get_userbyid(t.evtowner), t.evtfoid::regproc,
		audit.sorted(t.evttags))::text
	from pg_event_trigger t
	union all
	select 'rule', r.name, row(w.rulename, w.ev_enabled, w.is_instead,
		pg_get_ruledef(w.oid, false))::text
	from rel r join pg_rewrite w on w.ev_class = r.oid
	union all
	select 'policy', r.name, row(p.polname, p.polcmd, p.polpermissive,
		(select audit.sorted(array_agg(case when o = 0 then 'public'
			else pg_get_userbyid(o)::text end)) from unnest(p.polroles) o),
		pg_get_expr(p.polqual, p.polrelid, false),
		pg_get_expr(p.polwithcheck, p.polrelid, false))::text
	from rel r join pg_policy p on p.polrelid = r.oid
	union all
	select 'constraint', format('%I.%I', s.nspname, k.conname),
		row(k.contype, k.conrelid::regclass, k.contypid::regtype,
		k.convalidated, k.condeferrable, k.condeferred,
		pg_get_constraintdef(k.oid, false))::text
	from pg_constraint k join space s on s.oid = k.connamespace
	where k.oid >= 16384
	union all
	select 'type', format('%I.%I', s.nspname, t.typname),
		row(t.typtype, pg_get_userbyid(t.typowner), audit.acl(t.typacl),
		t.typinput::regproc, t.typoutput::regproc, t.typreceive::regproc,
		t.typsend::regproc, t.typdefault)::text
	from pg_type t join space s on s.oid = t.typnamespace
	union all
	select 'operator', o.oid::regoperator::text,
		row(o.oprcode::regproc, pg_get_userbyid(o.oprowner))::text
	from pg_operator o
	union all
	select 'cast', format('%s to %s', c.castsource::regtype, c.casttarget::regtype),
		row(c.castfunc::regprocedure, c.castcontext, c.castmethod)::text
	from pg_cast c
	union all
	select 'role', r.rolname::text, row(r.rolsuper, r.rolinherit,
		r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
		r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil)::text
	from pg_roles r
	union all
	select 'member', pg_get_userbyid(m.member)::text,
		row(pg_get_userbyid(m.roleid), pg_get_userbyid(m.grantor),
		m.admin_option)::text
	from pg_auth_members m
	union all
	select 'setting', case when s.setrole = 0 then ''
			else pg_get_userbyid(s.setrole)::text end,
		row(s.setdatabase = 0, audit.sorted(s.setconfig))::text
	from pg_db_role_setting s
	where s.setdatabase in (0, (select d.oid from pg_database d
		where d.datname = current_database()))
	union all
	select 'parameter', p.parname, audit.acl(p.paracl)
	from pg_parameter_acl p
	union all
	select 'server', x, current_setting(x) from unnest(array['fsync',
		'full_page_writes', 'max_prepared_transactions',
		'allow_system_table_mods', 'ignore_system_indexes']) x
	union all
	select 'database', '', row(pg_get_userbyid(d.datdba), audit.acl(d.datacl),
		d.datallowconn, d.datconnlimit, d.datistemplate,
		pg_encoding_to_char(d.encoding), d.datcollate)::text
	from pg_database d where d.datname = current_database()
	union all
	select 'default', pg_get_userbyid(a.defaclrole)::text,
		row(n.nspname, a.defaclobjtype, audit.acl(a.defaclacl))::text
	from pg_default_acl a left join pg_namespace n on n.oid = a.defaclnamespace
	union all
	select 'language', l.lanname::text, row(pg_get_userbyid(l.lanowner),
		l.lanpltrusted, audit.acl(l.lanacl), l.lanplcallfoid::regproc)::text
	from pg_language l
	union all
	select 'extension', e.extname::text,
		row(pg_get_userbyid(e.extowner), e.extversion)::text
	from pg_extension e
	union all
	-- Ways out of the database.
	select 'publication', p.pubname::text, row(pg_get_userbyid(p.pubowner),
		p.puballtables, (select audit.sorted(array_agg(x.prrelid::regclass::text))
			from pg_publication_rel x where x.prpubid = p.oid))::text
	from pg_publication p
	union all
	select 'server abroad', f.srvname::text, row(pg_get_userbyid(f.srvowner),
		audit.acl(f.srvacl), audit.sorted(f.srvoptions))::text
	from pg_foreign_server f;
$$;

create function audit.fingerprint() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select encode(sha256(convert_to(string_agg(h, '' order by h collate "C"),
		'UTF8')), 'hex')
	from (select encode(sha256(convert_to(row(c.kind, c.name, c.def)::text,
		'UTF8')), 'hex') as h from audit.catalogue() c) x;
$$;

create function audit.heads()
returns table (site uuid, stream text, seq bigint, hash bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select s.id, h.stream, h.seq, h.hash
	from audit.site s left join audit.head h on true
	order by h.stream collate "C";
$$;

-- One for each that was written to all its places.
create table audit.checkpoint (
	n bigint primary key check (n > 0),
	at timestamptz not null default clock_timestamp(),
	sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$')
);
create trigger checkpoint_stays before update or delete or truncate
	on audit.checkpoint for each statement execute function audit.refuse();
alter table audit.checkpoint enable always trigger checkpoint_stays;

create function audit.checkpoint_made(p_n bigint, p_sha256 text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if (p_n > coalesce((select max(c.n) from audit.checkpoint c), 0)
		and p_sha256 ~ '^[0-9a-f]{64}$') is not true then
		return 'not_next';
	end if;
	insert into audit.checkpoint (n, sha256) values (p_n, p_sha256)
		on conflict do nothing;
	return case when found then 'ok' else 'not_next' end;
end
$$;

grant execute on function audit.fingerprint(), audit.heads(),
	audit.checkpoint_made(bigint, text) to tollwatch_checkpoint;
grant select on audit.site, audit.head, audit.event, audit.link,
	audit.checkpoint to tollwatch_checkpoint;

-- ---- an auditor reads ----

create table audit.reading (
	id bigint generated always as identity primary key,
	staff bigint not null,
	xid xid8 not null default pg_current_xact_id(),
	from_at timestamptz not null,
	to_at timestamptz not null check (to_at > from_at),
	until timestamptz not null default clock_timestamp() + interval '15 min'
);

create function audit.reason_ok(p text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select (length(btrim(p)) between 10 and 500
		and p !~ '[\x01-\x1f\x7f]') is true;
$$;

create function audit.read_request(p_token bytea, p_from timestamptz,
	p_to timestamptz, p_reason text, out code text, out ticket bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select a.code, a.staff, a.handle into w
		from authn.who(p_token, 'auditor') a;
	code := case
		when (w.code = 'ok') is not true then coalesce(w.code, 'no_session')
		when audit.reason_ok(p_reason) is not true then 'bad_reason'
		when (p_to > p_from and isfinite(p_from) and isfinite(p_to))
			is not true then 'bad_span'
		else 'ok' end;
	if code = 'ok' then
		insert into audit.reading (staff, from_at, to_at)
			values (w.staff, p_from, p_to) returning id into ticket;
	end if;
	perform audit.append('audit_read', code, w.handle,
		p_purpose => 'audit', p_words => left(p_reason, 500),
		p_detail => format('reading %s from %s to %s',
			coalesce(ticket::text, '-'),
			to_char(p_from at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
			to_char(p_to at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')));
end
$$;

-- What was committed before p_lsn is on disk; waits a second at most.
create function audit.flushed(p_lsn pg_lsn) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	for i in 1..100 loop
		if (pg_current_wal_flush_lsn() >= p_lsn) is true then
			return true;
		end if;
		perform pg_sleep(0.01);
	end loop;
	return false;
end
$$;

-- p_stream null: all of them; p_after: id of the last event that was read.
create function audit.read(p_token bytea, p_ticket bigint, p_stream text,
	p_after bigint, p_max integer)
returns table (code text, event bigint, at timestamptz, stream text,
	seq bigint, actor text, login text, action text, result text,
	incident bigint, ticket bigint, authority text, subject text,
	purpose text, fields text, words text, words_intact boolean, detail text,
	row_hash bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	written pg_lsn := pg_current_wal_insert_lsn();
	w record;
	r audit.reading;
begin
	select a.code, a.staff, a.handle into w
		from authn.who(p_token, 'auditor') a;
	select * into r from audit.reading o where o.id = p_ticket;
	code := case
		when (w.code = 'ok') is not true then coalesce(w.code, 'no_session')
		when r.id is null then 'unknown_ticket'
		when (r.staff = w.staff) is not true then 'not_yours'
		when (r.xid <> pg_current_xact_id_if_assigned()) is false
			or (pg_xact_status(r.xid) = 'committed') is not true
			then 'not_committed'
		when (r.until > clock_timestamp()) is not true then 'expired'
		when audit.flushed(written) is not true then 'not_durable'
		else 'ok' end;
	if code <> 'ok' then
		perform audit.append('audit_read', code, w.handle,
			p_purpose => 'audit',
			p_detail => format('reading %s', p_ticket));
		return next;
		return;
	end if;
	return query
		select 'ok'::text, e.id, e.at, e.stream, l.seq, e.actor, e.login,
			e.action, e.code, e.incident, e.ticket, e.authority,
			e.subject, e.purpose, e.fields, o.words,
			case when o.words is not null then
				sha256(o.salt || convert_to(o.words, 'UTF8'))
					= e.words_hash end,
			e.detail, l.row_hash
		from audit.event e join audit.link l on l.event = e.id
			left join audit.words o on o.event = e.id
		where e.id > coalesce(p_after, 0)
			and e.at >= r.from_at and e.at < r.to_at
			and (p_stream is null or e.stream = p_stream)
		order by e.id limit least(greatest(p_max, 1), 10000);
end
$$;
grant execute on function
	audit.read_request(bytea, timestamptz, timestamptz, text),
	audit.read(bytea, bigint, text, bigint, integer) to tollwatch_auditor;

reset role;
create function alerter.audit_age_s() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select greatest(0, extract(epoch from clock_timestamp() - max(c.at)))::bigint
	from audit.checkpoint c;
$$;
alter function alerter.audit_age_s() owner to tollwatch_audit;
revoke all on function alerter.audit_age_s() from public;
grant execute on function alerter.audit_age_s() to tollwatch_alerter;

comment on function audit.fingerprint() is 'SHA-256 over everything in the catalogue that decides who sees what.';
comment on function audit.heads() is 'The last link of each stream, and the site.';
comment on function audit.read(bytea, bigint, text, bigint, integer) is
	'Events of a committed request; one row with the code when refused.';
comment on function alerter.audit_age_s() is 'Seconds since the last checkpoint; null: never one.';
comment on table audit.checkpoint is 'Append-only: signed checkpoints that were written to all their places.';
comment on column audit.checkpoint.n is 'Which, from 1 [class: operational; keep: for ever]';
comment on column audit.checkpoint.at is 'When all places had it [class: operational; keep: for ever]';
comment on column audit.checkpoint.sha256 is 'Of its text [class: operational; keep: for ever]';
comment on table audit.reading is 'Who asked to read the log; the event says why.';
comment on column audit.reading.id is 'Key [class: operational; keep: 13 months]';
comment on column audit.reading.staff is 'authn.staff.id [class: personal; keep: 13 months]';
comment on column audit.reading.xid is 'Transaction that must have committed [class: operational; keep: 13 months]';
comment on column audit.reading.from_at is 'Events from [class: operational; keep: 13 months]';
comment on column audit.reading.to_at is 'Events before [class: operational; keep: 13 months]';
comment on column audit.reading.until is 'Read until then [class: operational; keep: 13 months]';
