-- SPDX-License-Identifier: Apache-2.0
-- Before the first night.
begin;
set local search_path = tap, pg_catalog;
select no_plan();
select is((select count(*) from noc.kpi_now), 1::bigint, 'one row of figures');
select is_empty($$select k from noc.kpi_now x, jsonb_each(to_jsonb(x)) e(k, v) where v = 'null'$$,
	'none of them null');
select is((select count(*) from noc.oncall_now), 0::bigint, 'nobody was called');
select * from finish();
rollback;
