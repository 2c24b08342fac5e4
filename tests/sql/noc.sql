-- SPDX-License-Identifier: Apache-2.0
-- A wall screen tells one customer's incidents from another's, and not whose
-- they are.
begin;
set local search_path = tap, pg_catalog;
select no_plan();
set local client_min_messages = warning;

create function pg_temp.opens(p_n bigint, p_account text, p_at text) returns boolean
language sql as $$
	select alerter.apply('noc', p_n, jsonb_build_object('facts', jsonb_build_array(
		jsonb_build_object('kind', 'opened', 'at', p_at, 'ref', p_n,
		'id', 'f' || p_n, 'family', 'toll', 'subject', 'account:' || p_account,
		'account', p_account, 'account_name', 'Acme Example Ltd',
		'severity', 'critical'),
		jsonb_build_object('kind', 'finding', 'at', p_at, 'ref', p_n,
		'finding', jsonb_build_object('id', 'f' || p_n, 'rule', 'R01',
		'name', 'spend-60m', 'severity', 'critical',
		'trunk', 'trunk-of-' || p_account)))));
$$;
select pg_temp.opens(1, 'acme', '2026-01-17T02:24:00Z');
select pg_temp.opens(2, 'acme', '2026-01-31T23:59:59Z');
select pg_temp.opens(3, 'acme', '2026-02-01T00:00:00Z');
select pg_temp.opens(4, 'frip', '2026-01-17T02:24:00Z');
select alerter.apply('noc', 5, '{"facts": [{"kind": "opened", "ref": 5,
	"at": "2026-01-17T02:24:00Z", "id": "f5", "family": "feed",
	"subject": "feed:sbc-1", "severity": "critical"}]}');

select is((select count(distinct account) from noc.incident where ref in (1, 2)), 1::bigint,
	'one account, one month: one name');
select is((select count(distinct account) from noc.incident where ref in (1, 3)), 2::bigint,
	'another month: another name');
select is((select count(distinct account) from noc.incident where ref in (1, 4)), 2::bigint,
	'another account: another name');
select is((select count(*) from noc.incident where account ~ '^a-[0-9a-f]{10}$'
	and subject = 'account:' || account and trunk ~ '^t-[0-9a-f]{10}$'), 4::bigint,
	'the subject agrees, the trunk has one too');
select is((select subject from noc.incident where ref = 5), 'feed:sbc-1', 'a feed is no customer');
select is((select account from noc.incident where ref = 5), null, 'and has no account');
select isnt((select account from noc.incident where ref = 1),
	'a-' || left(encode(sha256('a:acme'), 'hex'), 10), 'not a plain hash');
select is_empty($$select v from (select to_jsonb(x)::text as v from noc.incident x
	union all select to_jsonb(x)::text from noc.incident_open x
	union all select to_jsonb(x)::text from noc.incident_timeline x
	union all select to_jsonb(x)::text from noc.delivery x) y
	where v ~* 'acme|frip'$$, 'no account, subject or trunk by name in any view');
select matches((select text from noc.incident_timeline where ref = 1 and kind = 'opened'),
	'^opened: critical toll, account:a-[0-9a-f]{10}$', 'nor in the line of its opening');
select is_empty($$select a.attname from pg_attribute a
	where a.attrelid = 'core.incident'::regclass and a.attnum > 0
	and a.attname in ('account', 'subject', 'trunk', 'account_name')
	and has_column_privilege('tollwatch_masked', a.attrelid, a.attnum, 'select')$$,
	'the owner of the views cannot read them');
select is_empty($$select r.rolname from pg_roles r where r.rolname ~ '^tollwatch_'
	and r.rolname not in ('tollwatch_core', 'tollwatch_writer', 'tollwatch_migrator')
	and has_any_column_privilege(r.oid, 'core.pseudonym_key', 'select')$$,
	'nobody else has the key');
select is_empty($$select r.rolname from pg_roles r where r.rolname ~ '^tollwatch_'
	and r.rolcanlogin and has_function_privilege(r.oid,
	'fact.pseudonym(text, text, timestamptz)', 'execute')$$,
	'no login can ask what somebody would be called');
select * from finish();
rollback;
