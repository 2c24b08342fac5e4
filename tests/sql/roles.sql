-- SPDX-License-Identifier: Apache-2.0
-- What each role tries and is refused; with each, something it may do.
begin;
set local search_path = tap, pg_catalog;
select no_plan();
-- pgTAP itself is no part of what is tested.
grant usage on schema tap to public;
grant execute on all functions in schema tap to public;
grant all on all tables in schema tap to public;
set local client_min_messages = warning;

select alerter.apply('r', 8, '{"facts": [
	{"kind": "opened", "at": "2026-01-17T02:24:00Z", "ref": 1, "id": "aa",
	"family": "toll", "subject": "account:acme", "account": "acme",
	"account_name": "Acme Example Ltd", "severity": "critical"}]}');
-- throws_ok wants temporary things of its own: ask by hand.
create function tap.refused(p_role text, p_sql text, p_state text default '42501')
returns text language plpgsql as $$
declare
	got text := 'nothing';
begin
	execute format('set local session authorization %I', p_role);
	begin
		execute p_sql;
	exception when others then
		got := sqlstate;
	end;
	execute 'reset session authorization';
	return tap.is(got, p_state, p_role || ' refused: ' || p_sql);
end
$$;
create function tap.allowed(p_role text, p_sql text) returns text
language plpgsql as $$
declare
	got text := 'done';
begin
	execute format('set local session authorization %I', p_role);
	begin
		execute p_sql;
	exception when others then
		got := sqlstate || ' ' || sqlerrm;
	end;
	execute 'reset session authorization';
	return tap.is(got, 'done', p_role || ' may: ' || p_sql);
end
$$;

select tap.allowed('tollwatch_noc', 'select * from noc.incident');
select tap.allowed('tollwatch_noc', 'select * from noc.incident_open order by sort_key');
select tap.allowed('tollwatch_noc', 'select * from noc.incident_timeline');
select tap.allowed('tollwatch_noc', 'select * from noc.delivery');
select tap.allowed('tollwatch_noc', 'select * from noc.oncall_now');
select tap.allowed('tollwatch_noc', 'select * from noc.kpi_now');
select tap.refused('tollwatch_noc', 'select * from ' || c.oid::regclass)
	from pg_class c where c.relnamespace = 'core'::regnamespace and c.relkind = 'r'
	order by c.relname;
select tap.refused('tollwatch_noc', s) from unnest(array[
	'select callee from core.evidence_call',
	'select target from core.contact',
	'create temp table x (a int)',
	'create table noc.x (a int)',
	'create table public.x (a int)',
	'create schema x',
	'create function noc.f() returns int language sql as ''select 1''',
	'create or replace view noc.incident as select 1',
	'alter view noc.incident owner to tollwatch_noc',
	'select alerter.apply(''x'', 1, ''{}'')',
	'select alerter.position(''x'')',
	'select alerter.next_ref()',
	'select alerter.people(''[]'')',
	'select fact.mask(''x'')',
	'select * from migration.applied',
	'set role tollwatch_masked',
	'set role postgres',
	'select pg_advisory_lock(1)',
	'select pg_try_advisory_xact_lock_shared(1, 2)',
	'select lo_create(0)',
	'select pg_read_file(''/etc/passwd'')',
	'copy (select 1) to program ''true''']) s;

-- A view that joins takes no rows, whoever asks.
select tap.refused('tollwatch_noc', s, '55000') from unnest(array[
	'insert into noc.incident (ref) values (1)',
	'update noc.incident set state = ''resolved''',
	'delete from noc.incident']) s;

select tap.allowed('tollwatch_alerter', 'select alerter.position(''r'')');
select tap.allowed('tollwatch_alerter', 'select alerter.next_ref()');
select tap.allowed('tollwatch_alerter', 'select alerter.people(''[]'')');
select tap.allowed('tollwatch_alerter', 'select alerter.apply(''r2'', 1, ''{}'')');
select tap.refused('tollwatch_alerter', 'select * from ' || c.oid::regclass)
	from pg_class c where c.relnamespace = 'core'::regnamespace and c.relkind = 'r'
	order by c.relname;
select tap.refused('tollwatch_alerter', s) from unnest(array[
	'select * from noc.incident',
	'update core.timeline set text = ''''',
	'delete from core.timeline',
	'truncate core.timeline',
	'insert into core.timeline default values',
	'update core.entry_mark set position = 0',
	'select fact.opened(''r'', ''{}'', now())',
	'create temp table x (a int)',
	'create function alerter.f() returns int language sql as ''select 1''',
	'set role tollwatch_writer']) s;

-- Append-only for everybody, by every way.
select tap.refused(r, s) from unnest(array['tollwatch_core', 'postgres']) r,
	unnest(array['update core.timeline set text = ''''',
		'update core.timeline set text = '''' where false',
		'delete from core.timeline',
		'truncate core.timeline',
		'truncate core.incident cascade']) s;
select tap.refused('tollwatch_writer', 'delete from core.timeline');
select tap.refused('tollwatch_writer', 'delete from core.incident');
select tap.refused('tollwatch_writer', 'update core.incident set opened_at = now()');
set local session_replication_role = replica;
select tap.refused('postgres', 'delete from core.timeline');
set local session_replication_role = origin;

select tap.refused('tollwatch_masked', s) from unnest(array[
	'select callee from core.evidence_call',
	'select account_name from core.incident',
	'select detail from core.timeline',
	'select target, error from core.delivery',
	'select login from core.person']) s;
select * from finish();
rollback;
