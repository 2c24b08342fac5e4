-- SPDX-License-Identifier: Apache-2.0
-- Who owns and who logs in, for data that is seen only with a reason.
--
--   tollwatch_authn    owns secrets and sessions; reads nothing else
--   tollwatch_audit    owns the log; reads nothing else
--   tollwatch_access   owns tickets, grants and decisions; its functions alone
--                      show a number
--   tollwatch_change   owns proposals and approvals
--   tollwatch_stats    owns the engineers' views: no person, no account
--
--   tollwatch_console, _engineer, _auditor, _dpo, _checkpoint, _backup,
--   _migrator          log in, and own nothing
--
-- The migrator and the backup have no connection until the superuser gives
-- them one for the job ("alter role ... connection limit 1").

do $$
declare
	r text;
begin
	foreach r in array array['authn', 'audit', 'access', 'change', 'stats'] loop
		if not exists (select from pg_roles where rolname = 'tollwatch_' || r) then
			execute format('create role %I nologin', 'tollwatch_' || r);
		end if;
	end loop;
	foreach r in array array['console', 'engineer', 'auditor', 'dpo',
		'checkpoint', 'backup', 'migrator'] loop
		if not exists (select from pg_roles where rolname = 'tollwatch_' || r) then
			execute format('create role %I login noinherit', 'tollwatch_' || r);
		end if;
		execute format('grant connect on database %I to %I',
			current_database(), 'tollwatch_' || r);
		execute format('alter role %I set search_path = pg_catalog', 'tollwatch_' || r);
		execute format('alter role %I set lock_timeout = ''5s''', 'tollwatch_' || r);
		execute format('alter role %I set idle_in_transaction_session_timeout = ''15s''',
			'tollwatch_' || r);
	end loop;
end
$$;

alter role tollwatch_console set statement_timeout = '10s';
alter role tollwatch_console connection limit 16;
alter role tollwatch_engineer set default_transaction_read_only = on;
alter role tollwatch_engineer set statement_timeout = '30s';
alter role tollwatch_engineer connection limit 5;
alter role tollwatch_auditor set statement_timeout = '5min';
alter role tollwatch_auditor connection limit 3;
alter role tollwatch_dpo set statement_timeout = '5min';
alter role tollwatch_dpo connection limit 3;
alter role tollwatch_checkpoint set statement_timeout = '60s';
alter role tollwatch_checkpoint connection limit 2;
alter role tollwatch_backup replication connection limit 0;
alter role tollwatch_migrator connection limit 0;
grant tollwatch_core, tollwatch_writer, tollwatch_masked, tollwatch_authn,
	tollwatch_audit, tollwatch_access, tollwatch_change, tollwatch_stats
	to tollwatch_migrator;

alter default privileges for role tollwatch_authn, tollwatch_audit,
	tollwatch_access, tollwatch_change, tollwatch_stats
	revoke execute on functions from public;
alter default privileges for role tollwatch_authn, tollwatch_audit,
	tollwatch_access, tollwatch_change, tollwatch_stats
	revoke usage on types from public;

create schema crypto;
revoke all on schema crypto from public;
create extension pgcrypto schema crypto;
do $$
declare
	f regprocedure;
begin
	for f in select p.oid::regprocedure from pg_catalog.pg_proc p
		where p.pronamespace = 'crypto'::regnamespace
	loop
		execute format('revoke execute on function %s from public', f);
	end loop;
end
$$;
grant usage on schema crypto to tollwatch_authn, tollwatch_access,
	tollwatch_audit, tollwatch_masked, tollwatch_writer;
grant execute on function crypto.crypt(text, text), crypto.gen_salt(text, integer),
	crypto.hmac(bytea, bytea, text), crypto.gen_random_bytes(integer)
	to tollwatch_authn;
grant execute on function crypto.gen_random_bytes(integer)
	to tollwatch_audit, tollwatch_access, tollwatch_masked, tollwatch_writer;
grant execute on function crypto.hmac(bytea, bytea, text)
	to tollwatch_masked, tollwatch_writer, tollwatch_access;

create schema audit authorization tollwatch_audit;
create schema authn authorization tollwatch_authn;
create schema access authorization tollwatch_access;
create schema api authorization tollwatch_access;
create schema change authorization tollwatch_change;
create schema engineer authorization tollwatch_stats;
grant usage on schema audit to tollwatch_authn, tollwatch_access,
	tollwatch_change, tollwatch_writer, tollwatch_auditor, tollwatch_checkpoint;
grant usage on schema authn to tollwatch_access, tollwatch_change,
	tollwatch_audit, tollwatch_console, tollwatch_auditor, tollwatch_dpo;
grant usage on schema api to tollwatch_console, tollwatch_dpo;
grant usage on schema change to tollwatch_console, tollwatch_access,
	tollwatch_authn, tollwatch_writer;
grant usage on schema access to tollwatch_writer, tollwatch_change;
grant usage on schema engineer to tollwatch_engineer;
grant usage on schema core to tollwatch_access, tollwatch_stats;

comment on schema audit is 'Who looked at what and did what, and why: append-only, chained.';
comment on schema authn is 'Staff, their secrets and sessions.';
comment on schema access is 'Tickets, shifts, grants, decisions and actions.';
comment on schema api is 'What a person may do, each with a session''s token.';
comment on schema change is 'Changes that one proposes and another approves.';
comment on schema engineer is 'How the rules do, without anybody in it.';
comment on schema crypto is 'pgcrypto, for those who need it.';
