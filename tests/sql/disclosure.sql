-- SPDX-License-Identifier: Apache-2.0
-- Rules of disclosure that one transaction can show; attacks.sh has the rest.
begin;
set local search_path = tap, pg_catalog;
select no_plan();
set local client_min_messages = warning;

-- ---- what people type
select is(access.reason_ok(r), want,
	'reason: ' || coalesce(regexp_replace(left(r, 20), '[\n\t]', ' '), 'null')) from (values
	('1234567890', true), ('123456789', false), ('         x', false),
	(repeat('x', 500), true), (repeat('x', 501), false),
	(' ' || repeat('x', 500), false), ('£30 — why, café?', true),
	(E'two\nlines of it', false), (E'a tab\there it is', false),
	(U&'turned \202eround, it is', false), (U&'nothing\200bto be seen', false),
	('', false), (null, false)) v(r, want);

-- ---- reviews fall due at 17:00 of the next working day, London
select is(access.review_due(a::timestamptz), w::timestamptz, 'review of ' || a) from (values
	('2026-01-13T03:10:00Z', '2026-01-14T17:00:00Z'), -- Tuesday
	('2026-01-16T03:10:00Z', '2026-01-19T17:00:00Z'), -- Friday
	('2026-01-17T03:10:00Z', '2026-01-19T17:00:00Z'), -- Saturday
	('2026-01-18T23:59:59Z', '2026-01-19T17:00:00Z'), -- Sunday
	('2026-01-19T00:00:00Z', '2026-01-20T17:00:00Z'), -- Monday
	('2026-07-14T22:59:59Z', '2026-07-15T16:00:00Z'), -- summer, Tuesday
	('2026-07-14T23:00:00Z', '2026-07-16T16:00:00Z'), -- is Wednesday there
	('2026-03-27T12:00:00Z', '2026-03-30T16:00:00Z')) -- clocks change between
	v(a, w);

-- ---- confidential numbers
select alerter.confidential('[{"first": "+441632960180", "last": "+441632960189"},
	{"first": "+4411", "reason": "helplines"}, {"first": "116123"}]');
select is(access.shown(n), w, 'shown: ' || coalesce(n, 'null')) from (values
	('+441632960179', '+441632960179'), ('+441632960180', '+441*********'),
	('441632960185', '4416********'), ('+441632960189', '+441*********'),
	('+441632960190', '+441632960190'),
	('+4416329601805', '+441**********'), -- an extension of one
	('+44111', '+441****'), ('116123', '1161****'), ('116124', '116124'),
	('+252907700001', '+252907700001'), ('', ''), (null, null)) v(n, w);
select throws_ok($$select alerter.confidential('{"first": "+44"}')$$, '22023');
select throws_ok($$select alerter.confidential('[{"first": "no number"}]')$$, '23514');
select throws_ok($$select alerter.confidential('[{"first": "+4400", "last": "+441"}]')$$, '23514');
select is((select count(*) from access.confidential), 3::bigint, 'those of before stay');

-- ---- which fields, of what
select alerter.apply('d', 1, '{"facts": [
	{"kind": "opened", "at": "2026-01-17T02:24:00Z", "ref": 901, "id": "a1", "family": "toll",
		"subject": "account:acme", "account": "acme", "account_name": "Acme Example Ltd", "severity": "critical"},
	{"kind": "finding", "at": "2026-01-17T02:24:00Z", "ref": 901, "finding": {"id": "a1", "rule": "R01",
		"severity": "critical", "key": "callee:+252907700001", "trunk": "acme-t"}, "calls": [
		{"key": "01", "callee": "+252907700001", "country": "SO", "setup": "2026-01-17T02:22:00Z",
			"answer": "2026-01-17T02:22:10Z", "end": "2026-01-17T02:23:11Z", "cost_gbp": "2.70", "live": false},
		{"key": "02", "callee": "+441632960181", "country": "GB", "setup": "2026-01-17T02:21:00Z",
			"answer": null, "end": null, "cost_gbp": "0", "live": true}]},
	{"kind": "finding", "at": "2026-01-17T02:25:00Z", "ref": 901, "finding": {"id": "a2", "rule": "R02",
		"severity": "critical", "key": "account:acme", "trunk": "acme-t"}, "calls": [
		{"key": "01", "callee": "+252907700001", "country": "SO", "setup": "2026-01-17T02:22:00Z",
			"answer": "2026-01-17T02:22:10Z", "end": "2026-01-17T02:23:11Z", "cost_gbp": "2.70", "live": false}]},
	{"kind": "opened", "at": "2026-01-17T02:24:00Z", "ref": 902, "id": "a3", "family": "feed",
		"subject": "feed:sbc-1", "severity": "warning"},
	{"kind": "opened", "at": "2026-01-17T02:24:00Z", "ref": 903, "id": "a4", "family": "toll",
		"subject": "platform", "severity": "warning"},
	{"kind": "opened", "at": "2026-01-17T02:24:00Z", "ref": 904, "id": "a5", "family": "feed",
		"subject": "account:acme", "account": "acme", "severity": "warning"}]}');
create function pg_temp.i(p_ref bigint) returns bigint language sql as
	$$select max(id) from core.incident where ref = p_ref$$;
select is(access.is_ours(pg_temp.i(r)), w, 'ours: ' || r) from (values (901, false),
	(902, true), (903, true), (904, true), (999, true)) v(r, w);
select is(access.fields_ok(pg_temp.i(r), f), w, format('%s of %s', f, r)) from (values
	(901, array['account', 'account_name', 'trunk', 'source', 'key', 'callee', 'calls'], true),
	(901, array['callee', 'target'], false), (901, '{}', false), (901, null, false),
	(902, array['source', 'trunk'], true), (902, array['account'], false),
	(903, array['trunk'], true), (903, array['calls'], false),
	(904, array['account_name'], false)) v(r, f, w);
select results_eq(format($$select field, n, value from access.values_of(%s,
	array['account', 'account_name', 'trunk', 'source', 'key', 'callee', 'calls'])
	order by field, n$$, pg_temp.i(901)), $$values
	('account', 1, 'acme'), ('account_name', 1, 'Acme Example Ltd'),
	('callee', 1, '+441*********'), ('callee', 2, '+252907700001'),
	('calls', 1, 'GB no answer £0.00 up'), ('calls', 2, 'SO 00:01:01 £2.70'),
	('key', 1, 'callee:+252907700001'), ('key', 2, 'account:acme'),
	('source', 1, null), ('trunk', 1, 'acme-t')$$,
	'every field, each call once, the confidential number masked');
select results_eq(format($$select field, value from access.values_of(%s, array['source', 'trunk'])
	order by field$$, pg_temp.i(902)), $$values ('source', 'sbc-1'), ('trunk', null)$$,
	'of a feed, its name');

-- ---- what the tables themselves refuse
select throws_ok(s, '23514', null, left(s, 50)) from unnest(array[
	'insert into access."grant" (staff, handle, incident, kind, until, given_by)
		values (1, ''a'', 1, ''assigned'', now() + interval ''1 hour'', ''a'')',
	'insert into access."grant" (staff, handle, incident, kind, until, given_by, reviewed_by, reviewed_at, review)
		values (1, ''a'', 1, ''break-glass'', now() + interval ''1 hour'', ''a'', ''a'', now(), ''justified'')',
	'insert into access.agreement (account, party, purpose, "from", until, recorded_by, approved_by)
		values (''a'', ''b'', ''c'', now(), now() + interval ''1 hour'', ''a'', ''a'')',
	'insert into access.decision (incident, kind, staff, handle, verdict, event)
		values (1, ''verdict'', 1, ''a'', ''fraud'', 1)',
	'insert into access.decision (incident, kind, staff, handle, given_to, event)
		values (1, ''assign'', 1, ''a'', ''a'', 1)']) s;

-- ---- shifts
select lives_ok($$select alerter.shifts(encode(sha256('d'), 'hex'), jsonb_build_array(
	jsonb_build_object('person', 'd1', 'from', now() - interval '1 hour', 'until', now() + interval '1 hour'),
	jsonb_build_object('person', 'd2', 'from', now() + interval '1 hour', 'until', now() + interval '2 hours'),
	jsonb_build_object('person', 'd3', 'from', now() + interval '2 hours', 'until', now() + interval '1 hour')))$$);
select isnt(access.on_shift('d1'), null, 'on call now');
select is(access.on_shift(h), null, h || ' is not') from unnest(array['d2', 'd3', 'd4', '', null]) h;
select throws_ok($$select alerter.shifts('no hash', '[]')$$, '23514');
select throws_ok($$select alerter.shifts(null, '[]')$$, '22023');
select throws_ok($$select alerter.actions('[{"name": "x", "says": "y", "lasts_s": 1}]')$$, '23514');
select throws_ok($$select alerter.actions('[{"name": "x; rm", "says": "y", "lasts_s": 600}]')$$, '23514');

-- ---- notices
select access.tell('decision', pg_temp.i(901), 'd1', 'x', null, 'once');
select access.tell('decision', pg_temp.i(901), 'd1', 'x', null, 'once');
select is((select count(*) from access.notice where once = 'once'), 1::bigint, 'told once');
select is_empty($$select * from alerter.notices(0)$$, 'none of a transaction that is not over');
select is(access.called(pg_temp.i(901)), 'incident 901 (toll, A*** E*** L***)', 'masked');

-- ---- is it on disk: the place to insert at may be past a page's header
select ok(access.durable('0/1'::pg_lsn, '0'), 'what was long ago');
select ok(not access.durable(pg_current_wal_insert_lsn() + 1000000, '0'), 'not what is to come');
select ok(not access.durable(null, '0'), 'not nothing');
select * from finish();
rollback;
