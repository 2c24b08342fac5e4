-- SPDX-License-Identifier: Apache-2.0
-- What must hold of every object, also of those that do not exist yet.
begin;
set local search_path = tap, pg_catalog;
select no_plan();

create view pg_temp.ours as
select n.oid, n.nspname from pg_namespace n
where n.nspname = 'migration' or pg_get_userbyid(n.nspowner) ~ '^tollwatch_';
create view pg_temp.col as
select format('%I.%I.%I', n.nspname, c.relname, a.attname) as name, n.nspname,
	col_description(c.oid, a.attnum) as words
from pg_class c join pg_namespace n on n.oid = c.relnamespace
	join pg_attribute a on a.attrelid = c.oid
where n.oid in (select oid from pg_temp.ours) and c.relkind in ('r', 'v', 'p', 'm')
	and a.attnum > 0 and not a.attisdropped;
create view pg_temp.fn as
select p.oid, p.oid::regprocedure::text as name, p.proacl, p.prosecdef,
	coalesce(p.proconfig, '{}') as proconfig, n.nspname
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.oid in (select oid from pg_temp.ours);

select cmp_ok((select count(*) from pg_temp.col), '>', 100::bigint, 'there are columns');
select cmp_ok((select count(*) from pg_temp.fn), '>', 15::bigint, 'there are functions');
select is_empty($$select name, words from pg_temp.col where words is null
	or words !~ '\S.* \[class: (personal|customer|operational); keep: [a-z0-9][^\]]*\]$'$$,
	'every column says what it is, its class and how long it is kept');
select is_empty($$select name from pg_temp.col where nspname = 'noc'
	and words ~ 'class: personal'$$, 'no personal column on a wall screen');
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours)
	and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null$$,
	'every table and view has a comment');

select is_empty($$select name from pg_temp.fn f where prosecdef
	and not 'search_path=pg_catalog, pg_temp' = any (f.proconfig)$$,
	'every definer function has a fixed search_path');
select is_empty($$select name from pg_temp.fn f
	where not exists (select from unnest(f.proconfig) x where x like 'search_path=%')$$,
	'so has every other function');
select is_empty($$select name from pg_temp.fn f where prosecdef
	and nspname not in ('alerter', 'api', 'audit', 'authn', 'change')$$,
	'definer functions are in these schemas alone');
select is_empty($$select name from pg_temp.fn f where has_function_privilege('public', f.oid, 'execute')$$,
	'no function of ours is PUBLIC''s');
select is_empty($$select p.oid::regprocedure from pg_proc p
	where p.pronamespace = 'pg_catalog'::regnamespace
	and (p.proname ~ 'advisory' or p.proname ~ '^lo_')
	and has_function_privilege('public', p.oid, 'execute')$$,
	'no advisory lock, no large object is PUBLIC''s');

select is_empty($$select c.oid::regclass from pg_class c, aclexplode(c.relacl) a
	where c.relnamespace in (select oid from pg_temp.ours) and a.grantee = 0$$,
	'nothing is granted to PUBLIC');
select is_empty($$select n.nspname from pg_namespace n, aclexplode(n.nspacl) a
	where (n.nspname in ('public', 'crypto') or n.oid in (select oid from pg_temp.ours)) and a.grantee = 0$$,
	'no schema is PUBLIC''s');
select is_empty($$select a.privilege_type from pg_database d, aclexplode(d.datacl) a
	where d.datname = current_database() and a.grantee = 0$$,
	'not the database either: no TEMP, no CONNECT');

select is_empty($$select rolname from pg_roles where rolname ~ '^tollwatch_'
	and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls
		or (rolreplication and rolname <> 'tollwatch_backup'))$$,
	'no role of ours is mighty');
select is_empty($$select r.rolname from pg_roles r where r.rolname in
	(select distinct pg_get_userbyid(c.relowner) from pg_class c
		where c.relnamespace in (select oid from pg_temp.ours)) and r.rolcanlogin
		and r.rolname <> 'postgres'$$,
	'no owner can log in');
select is_empty($$select pg_get_userbyid(m.member) from pg_auth_members m
	join pg_roles r on r.oid = m.member where r.rolname ~ '^tollwatch_'
		and (r.rolname <> 'tollwatch_migrator' or r.rolinherit)$$,
	'no role of ours is a member of another but the migrator, who inherits nothing');
select set_eq($$select rolname from pg_roles where rolname ~ '^tollwatch_' and rolcanlogin
	and rolconnlimit = 0$$, array['tollwatch_migrator', 'tollwatch_backup'],
	'the migrator and the backup have no connection unless given one');
select set_eq($$select substr(rolname, 11) from pg_roles where rolname ~ '^tollwatch_' and rolcanlogin$$,
	array['alerter', 'noc', 'console', 'engineer', 'auditor', 'dpo', 'checkpoint',
		'backup', 'migrator']::text[], 'these roles log in');
select is((select rolconnlimit from pg_roles where rolname = 'tollwatch_noc'), 5,
	'five connections of the NOC');

-- The whole of what each role has, so that one more grant is seen here.
select set_eq($$select f.name from pg_temp.fn f
	where has_function_privilege('tollwatch_alerter', f.oid, 'execute')$$,
	array['alerter.apply(text,bigint,jsonb)', 'alerter."position"(text)',
		'alerter.next_ref()', 'alerter.people(jsonb)',
		'alerter.config(text,text,text,text)',
		'alerter.config_approved(text,text)', 'alerter.audit_age_s()',
		'alerter.shifts(text,jsonb)', 'alerter.confidential(jsonb)',
		'alerter.actions(jsonb)', 'alerter.notices(bigint)',
		'alerter.notice_done(bigint,text)'],
	'the alerter may execute these');
select set_eq(format($$select f.name from pg_temp.fn f where nspname in ('api', 'access', 'core', 'fact', 'alerter')
	and has_function_privilege('tollwatch_%s', f.oid, 'execute')$$, r), w,
	'of disclosure, the ' || r || ' may execute these') from (values
	('console', array['api.disclose_request(bytea,bigint,text[],text,text)',
		'api.disclose(bytea,bigint)', 'api.incident_id(bytea,bigint)',
		'api.incidents(bytea)', 'api.rotas(bytea)',
		'api.agreement_add(bytea,text,text,text,timestamp with time zone,timestamp with time zone)',
		'api.agreement_approve(bytea,bigint)',
		'api.break_glass(bytea,bigint,text)', 'api.review(bytea,bigint,text,text)',
		'api.reviews_due(bytea)', 'api.acknowledge(bytea,bigint)',
		'api.assign(bytea,bigint,text)', 'api.verdict(bytea,bigint,text,text)',
		'api.quick_decisions(bytea,timestamp with time zone,timestamp with time zone)',
		'api.act(bytea,bigint,text,text)', 'api.undo(bytea,bigint,text)',
		'api.actions(bytea,bigint)']),
	('dpo', array['api.agreement_add(bytea,text,text,text,timestamp with time zone,timestamp with time zone)',
		'api.agreement_approve(bytea,bigint)', 'api.incident_id(bytea,bigint)',
		'api.review(bytea,bigint,text,text)', 'api.reviews_due(bytea)',
		'api.quick_decisions(bytea,timestamp with time zone,timestamp with time zone)']),
	('auditor', array['api.quick_decisions(bytea,timestamp with time zone,timestamp with time zone)'])) v(r, w);
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours)
	and c.relkind in ('r', 'v') and (
		has_table_privilege('tollwatch_alerter', c.oid, 'select,insert,update,delete,truncate,references,trigger')
		or has_any_column_privilege('tollwatch_alerter', c.oid, 'select,insert,update,references'))$$,
	'the alerter may touch no table and no view');
select is_empty($$select r.rolname, c.oid::regclass from pg_class c, pg_roles r
	where c.relnamespace in (select oid from pg_temp.ours) and c.relkind in ('r', 'v', 'S')
	and r.rolname in ('tollwatch_console', 'tollwatch_dpo')
	and (has_table_privilege(r.oid, c.oid, 'select,insert,update,delete,truncate,references,trigger')
		or (c.relkind <> 'S' and has_any_column_privilege(r.oid, c.oid, 'select,insert,update,references')))$$,
	'nor may the console or the DPO''s tool');
select set_eq($$select c.oid::regclass::text from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours)
	and c.relkind in ('r', 'v')
	and has_any_column_privilege('tollwatch_noc', c.oid, 'select,insert,update,references')$$,
	array['noc.incident', 'noc.incident_open', 'noc.incident_timeline',
		'noc.delivery', 'noc.oncall_now', 'noc.kpi_now'],
	'the NOC may read these');
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours)
	and c.relkind in ('r', 'v')
	and has_any_column_privilege('tollwatch_noc', c.oid, 'insert,update,references')$$,
	'and write nothing');
select is_empty($$select f.name from pg_temp.fn f
	where has_function_privilege('tollwatch_noc', f.oid, 'execute')$$,
	'the NOC may execute nothing of ours');
select is_empty($$select format('%s.%I', c.oid::regclass, a.attname)
	from pg_class c join pg_attribute a on a.attrelid = c.oid
	where c.relnamespace = 'core'::regnamespace and c.relkind = 'r' and a.attnum > 0
	and has_column_privilege('tollwatch_masked', c.oid, a.attnum, 'select')
	and col_description(c.oid, a.attnum) ~ 'class: personal'
	and format('%s.%I', c.oid::regclass, a.attname) not in (
		'core.person.handle', 'core.person.name', 'core.incident.acked_by',
		'core.incident.resolved_by', 'core.timeline.person', 'core.delivery.person')$$,
	'the owner of the views reads no personal column but who of the staff it was');
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace = 'core'::regnamespace and c.relkind = 'r'
	and has_table_privilege('tollwatch_writer', c.oid, 'delete,truncate')$$,
	'the writer deletes nothing');
select ok(not has_any_column_privilege('tollwatch_writer', 'core.timeline', 'update'),
	'the writer changes no line of the timeline');

select set_eq($$select f.name from pg_temp.fn f where nspname = 'audit'
	and has_function_privilege('tollwatch_auditor', f.oid, 'execute')$$,
	array['audit.read_request(bytea,timestamp with time zone,timestamp with time zone,text)',
		'audit.read(bytea,bigint,text,bigint,integer)'],
	'of the log the auditor may execute these');
select is_empty($$select r.rolname, f.name from pg_temp.fn f, pg_roles r
	where nspname = 'audit' and r.rolname in ('tollwatch_console', 'tollwatch_dpo',
		'tollwatch_noc', 'tollwatch_engineer', 'tollwatch_alerter', 'tollwatch_backup')
	and has_function_privilege(r.oid, f.oid, 'execute')$$,
	'and nobody else who logs in anything');
select set_eq($$select f.name from pg_temp.fn f
	where has_function_privilege('tollwatch_checkpoint', f.oid, 'execute')$$,
	array['audit.fingerprint()', 'audit.heads()', 'audit.checkpoint_made(bigint,text)'],
	'the checkpoint may execute these');
select set_eq($$select c.oid::regclass::text from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours)
	and c.relkind in ('r', 'v')
	and has_any_column_privilege('tollwatch_checkpoint', c.oid, 'select')$$,
	array['audit.site', 'audit.head', 'audit.event', 'audit.link', 'audit.checkpoint'],
	'the checkpoint may read these, people''s words not among them');
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours) and c.relkind in ('r', 'v')
	and has_any_column_privilege('tollwatch_checkpoint', c.oid, 'insert,update,references')$$,
	'and write nothing');
select is_empty($$select c.oid::regclass from pg_class c
	where c.relnamespace in (select oid from pg_temp.ours) and c.relkind in ('r', 'v')
	and has_any_column_privilege('tollwatch_auditor', c.oid, 'select,insert,update,references')$$,
	'the auditor reads through functions alone');

select columns_are('noc', 'kpi_now', array['open_critical', 'open_warning',
	'unacked', 'oldest_unacked_s', 'exposure_gbp', 'rate_gbp_per_min',
	'live_suspect_calls', 'oncall_name', 'mtta_s_30d', 'pages_failed'],
	'noc.kpi_now keeps its columns');
select bag_hasnt(
	$$select a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where c.relnamespace = 'noc'::regnamespace and a.attnum > 0$$,
	$$select unnest(array['target', 'callee', 'email', 'note', 'detail', 'login', 'first_action'])$$,
	'no view has such a column');
select is(current_setting('server_encoding'), 'UTF8', 'UTF-8');
select * from finish();
rollback;
