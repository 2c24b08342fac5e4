-- SPDX-License-Identifier: Apache-2.0
-- A reason is a reason: what disclosure refuses, reading the log refuses.
grant execute on function access.reason_ok(text) to tollwatch_audit;

set local role tollwatch_audit;
create or replace function audit.reason_ok(p text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return access.reason_ok(p) is true;
end
$$;
