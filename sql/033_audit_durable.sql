-- SPDX-License-Identifier: Apache-2.0
-- What is on disk is found out in one place for every disclosure, the log's
-- own included.
grant usage on schema access to tollwatch_audit;
grant execute on function access.durable(pg_lsn, interval) to tollwatch_audit;

set local role tollwatch_audit;
create or replace function audit.flushed(p_lsn pg_lsn) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
	return access.durable(p_lsn, interval '1 second');
end
$$;

reset role;
-- Null as long as there is none: greatest() would make it 0.
create or replace function alerter.audit_age_s() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select case when count(*) > 0 then greatest(0,
		extract(epoch from clock_timestamp() - max(c.at)))::bigint end
	from audit.checkpoint c;
$$;
