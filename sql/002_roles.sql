-- SPDX-License-Identifier: Apache-2.0
-- Owners cannot log in; those who log in own nothing.
--
--   tollwatch_core    owns the tables
--   tollwatch_writer  owns the alerter's functions: may add rows and change
--                     what is known of an incident, may not delete
--   tollwatch_masked  owns the noc views: reads the columns without personal
--                     data, so that not even an edited view shows a number
--   tollwatch_alerter, tollwatch_noc   log in
--
-- Roles belong to the cluster, this file to a database: they may be there.

do $$
declare
	r text;
begin
	foreach r in array array['tollwatch_core', 'tollwatch_writer', 'tollwatch_masked'] loop
		if not exists (select from pg_roles where rolname = r) then
			execute format('create role %I nologin', r);
		end if;
	end loop;
	foreach r in array array['tollwatch_alerter', 'tollwatch_noc'] loop
		if not exists (select from pg_roles where rolname = r) then
			execute format('create role %I login', r);
		end if;
	end loop;
	execute format('revoke all on database %I from public', current_database());
	execute format('grant connect on database %I to tollwatch_alerter, tollwatch_noc', current_database());
end
$$;

alter role tollwatch_alerter set search_path = pg_catalog;
alter role tollwatch_alerter set statement_timeout = '15s';
alter role tollwatch_alerter set lock_timeout = '5s';
alter role tollwatch_alerter set idle_in_transaction_session_timeout = '15s';
alter role tollwatch_alerter connection limit 4;

-- A session may undo its own settings; what protects the alerter from a
-- dashboard is the limit of connections, and that its pages do not wait for
-- the database.
alter role tollwatch_noc set default_transaction_read_only = on;
alter role tollwatch_noc set statement_timeout = '5s';
alter role tollwatch_noc set idle_in_transaction_session_timeout = '30s';
alter role tollwatch_noc set search_path = noc;
alter role tollwatch_noc connection limit 5;

revoke all on schema public from public;

alter default privileges for role tollwatch_core, tollwatch_writer, tollwatch_masked
	revoke execute on functions from public;
alter default privileges for role tollwatch_core, tollwatch_writer, tollwatch_masked
	revoke usage on types from public;

-- Advisory locks are one name space for all, and large objects a store
-- without an owner's consent: neither is anybody's here.
do $$
declare
	f regprocedure;
begin
	for f in select p.oid::regprocedure from pg_catalog.pg_proc p
		where p.pronamespace = 'pg_catalog'::regnamespace
		and (p.proname ~ '^pg_(try_)?advisory_' or p.proname ~ '^lo_'
			or p.proname in ('loread', 'lowrite'))
	loop
		execute format('revoke execute on function %s from public', f);
	end loop;
end
$$;

create schema core authorization tollwatch_core;
create schema fact authorization tollwatch_writer;
create schema alerter authorization tollwatch_writer;
create schema noc authorization tollwatch_masked;
grant usage on schema core to tollwatch_writer, tollwatch_masked;
grant usage on schema alerter to tollwatch_alerter;
grant usage on schema noc to tollwatch_noc;

comment on schema core is 'Tables. No role that logs in may reach one.';
comment on schema fact is 'How each kind of fact changes core; called by alerter.apply only.';
comment on schema alerter is 'What the alerter may do.';
comment on schema noc is 'What a wall screen may show.';
