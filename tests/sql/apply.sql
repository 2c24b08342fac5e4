-- SPDX-License-Identifier: Apache-2.0
-- A night as alerter/fact.c tells it: what is kept, what a wall screen shows.
begin;
set local search_path = tap, pg_catalog;
select no_plan();

select alerter.people('[
	{"id": "alex", "name": "Alex Example", "login": "alex", "contacts": [
		{"channel": "email", "target": "alex@example.com", "after_s": 0},
		{"channel": "webhook", "target": "desk", "after_s": 60}]},
	{"id": "sam", "name": "Sam Example", "contacts": []}]');
select is(alerter.position('n'), 0::bigint, 'an unknown outbox is at 0');
select is(alerter.next_ref(), 1::bigint, 'the first incident is 1');

create temp table entry (pos bigint, doc jsonb);
insert into entry values
(80, '{"v": 1, "stream": "findings", "boot": 7, "seq": 1, "facts": [
	{"kind": "opened", "at": "2026-01-17T02:24:05.000001Z", "ref": 1, "id": "aa01",
		"family": "toll", "subject": "account:frip", "account": "frip",
		"account_name": "Frip Finishing", "severity": "warning"},
	{"kind": "finding", "at": "2026-01-17T02:24:05.000001Z", "ref": 1,
		"finding": {"id": "aa01", "time": "2026-01-17T02:24:05Z", "rule": "R01",
			"name": "spend-60m", "severity": "warning", "key": "account:frip",
			"spend_gbp": "10.20", "exposure_gbp": "10.20",
			"exposure_retail_gbp": "20.40", "burn_gbp_min": "8.00",
			"projection_gbp": "2400.00", "calls": 4, "live_calls": 4,
			"first_call": "2026-01-17T02:22:00Z", "config": "c0", "rates": "d0",
			"trunk": "frip-t", "first_action": "Bar international on frip-t.",
			"account_name": "Frip Finishing",
			"countries": [{"country": "SO", "calls": 4}],
			"regime_until": null},
		"calls": [{"key": "01", "callee": "+252907700001", "country": "SO",
				"setup": "2026-01-17T02:22:00Z", "answer": "2026-01-17T02:22:02Z",
				"end": null, "cost_gbp": "2.70", "live": true},
			{"key": "02", "callee": "+252907700002", "country": "SO",
				"setup": "2026-01-17T02:22:10Z", "answer": null,
				"end": null, "cost_gbp": "0.00", "live": true}]},
	{"kind": "step", "at": "2026-01-17T02:24:05.000001Z", "ref": 1, "person": "alex",
		"run": 1, "step": 0},
	{"kind": "queued", "at": "2026-01-17T02:24:05.000001Z", "ref": 1, "page": 1,
		"person": "alex", "channel": "email", "target": "alex@example.com",
		"reason": "opened", "exposure_at_page": "10.20", "due": "2026-01-17T02:24:05Z",
		"run": 1, "step": 0}]}'),
(160, '{"facts": [
	{"kind": "attempt", "at": "2026-01-17T02:24:06Z", "ref": 1, "page": 1,
		"state": "failed-temporary", "attempt": 1, "person": "alex", "channel": "email",
		"error": "451 <alex@example.com>: ring +44 7700 900101 or 020 7946 0999",
		"due": "2026-01-17T02:24:16Z"},
	{"kind": "exposure", "at": "2026-01-17T02:24:15Z", "ref": 1, "exposure_gbp": "11.50",
		"exposure_retail_gbp": "23.00", "burn_gbp_min": "8.10",
		"projection_gbp": "2500.00", "calls": 5, "live_calls": 5}]}'),
(240, '{"facts": [
	{"kind": "attempt", "at": "2026-01-17T02:24:16Z", "ref": 1, "page": 1,
		"state": "sent", "attempt": 2, "person": "alex", "channel": "email",
		"error": null, "due": null},
	{"kind": "finding", "at": "2026-01-17T02:25:00Z", "ref": 1,
		"finding": {"id": "aa02", "time": "2026-01-17T02:25:00Z", "rule": "R02",
			"name": "burst", "severity": "critical", "key": "callee:+252907700001",
			"exposure_gbp": "9.00", "calls": 3, "live_calls": 1,
			"countries": []}, "calls": []}]}'),
(320, '{"facts": [
	{"kind": "acked", "at": "2026-01-17T02:30:05Z", "ref": 1, "person": "alex",
		"via": "shell", "until": "2026-01-17T03:00:05Z", "note": "rang 07700 900101"}]}'),
(400, '{"facts": [
	{"kind": "ack-expired", "at": "2026-01-17T03:00:05Z", "ref": 1},
	{"kind": "escalated", "at": "2026-01-17T03:01:00Z", "ref": 1, "person": "sam", "via": "shell"},
	{"kind": "nobody", "at": "2026-01-17T03:02:00Z", "ref": 1, "run": 2, "step": 1,
		"error": "no contact of sam"},
	{"kind": "moon-phase", "at": "2026-01-17T03:02:30Z", "ref": 1, "target": "x@example.com", "phase": 3},
	{"kind": "queued", "at": "2026-01-17T03:03:00Z", "ref": 0, "page": 2, "person": "sam",
		"channel": "webhook", "target": "desk", "reason": "test"},
	{"kind": "attempt", "at": "2026-01-17T03:03:01Z", "ref": 0, "page": 2,
		"state": "failed-permanent", "attempt": 1, "error": "404"}]}');

select results_eq('select alerter.apply(''n'', pos, doc) from entry where pos <= 240 order by pos',
	array[true, true, true], 'each entry is applied');
select is((select (exposure_gbp, burn_gbp_min, calls, severity, rule, top_country, findings)::text
	from core.incident), '(11.50000000,8.10000000,5,critical,R02,SO,2)',
	'the last exposure, the highest severity, the rule that gave it');
create temp table before as select 'timeline' as t, count(*) as n from core.timeline
	union all select 'delivery_attempt', count(*) from core.delivery_attempt
	union all select 'finding', count(*) from core.finding
	union all select 'call', count(*) from core.evidence_call;
select results_eq('select alerter.apply(''n'', pos, doc) from entry where pos <= 240 order by pos',
	array[false, false, false], 'told again: refused');
select is(alerter.apply('n', 239, (select doc from entry where pos = 400)), false,
	'an older position: refused');
select set_eq('table before', $$select 'timeline', count(*) from core.timeline
	union all select 'delivery_attempt', count(*) from core.delivery_attempt
	union all select 'finding', count(*) from core.finding
	union all select 'call', count(*) from core.evidence_call$$, 'and nothing was done');
select is(alerter.position('n'), 240::bigint, 'the mark is at the last entry');
select is((select entries from core.entry_mark where stream = 'n'), 3::bigint, 'three entries counted');
select is(alerter.next_ref(), 2::bigint, 'the next incident is 2');

select is((select array_agg(kind || '/' || n order by id) from core.timeline where stream = 'n'),
	array['opened/1', 'finding/2', 'step/3', 'queued/4', 'attempt/1', 'attempt/1', 'finding/2'],
	'a line for each fact in its order, none for exposure');
select is((select max(at) from core.timeline), '2026-01-17T02:25:00Z'::timestamptz, 'with its true time');
select is((select array_agg(callee order by n) from core.evidence_call),
	array['+252907700001', '+252907700002'], 'the calls with whole numbers');
select is_empty($$select detail from core.timeline where detail::text ~ '2529077|alex@example.com"|Finishing'$$,
	'which are nowhere else in the timeline');
select is((select (state, attempts, sent_at, error)::text from core.delivery where page = 1),
	'(sent,2,"2026-01-17 02:24:16+00",)', 'the page was sent at the second try');
select is((select array_agg(state order by id) from core.delivery_attempt),
	array['failed-temporary', 'sent'], 'both tries are there');
select is((select (exposure_gbp_at_first_page, exposure_gbp_at_page)::text from core.incident),
	'(10.20000000,10.20000000)', 'and what it cost when told');

-- a finding told twice under two entries stays one
select alerter.apply('n', 250, '{"facts": [{"kind": "finding", "at": "2026-01-17T02:25:00Z",
	"ref": 1, "finding": {"id": "aa02", "severity": "critical", "rule": "R09"}, "calls": []}]}');
select is((select count(*) from core.finding), 2::bigint, 'a finding is kept once');

select alerter.apply('n', pos, doc) from entry where pos = 320;
select is((select (state, acked_by, first_acked_at = acked_at, ack_until)::text from core.incident),
	'(acknowledged,alex,t,"2026-01-17 03:00:05+00")', 'acknowledged');
select is((select (unacked, mtta_s_30d is not null)::text from noc.kpi_now), '(0,t)', 'nothing waits');
select alerter.apply('n', pos, doc) from entry where pos = 400;
select is((select (state, ack_until is null, nobody_at is not null)::text from core.incident),
	'(open,t,t)', 'it ran out, and nobody could be told');
select is((select detail from core.timeline where kind = 'moon-phase'),
	'{"at": "2026-01-17T03:02:30Z", "ref": 1, "kind": "moon-phase", "phase": 3}'::jsonb,
	'an unknown kind is kept in the timeline, without an address');
select is((select (incident is null, state)::text from core.delivery where page = 2),
	'(t,failed-permanent)', 'a test page belongs to no incident');

-- the same numbers of another outbox are another's
select ok(alerter.apply('m', 80, (select doc from entry where pos = 80)), 'another outbox');
select is((select count(*) from core.incident where ref = 1), 2::bigint,
	'that began anew while the database was away: both incidents are kept');
select ok(alerter.apply('m', 90, '{"facts": [{"kind": "resolved", "at": "2026-01-17T09:00:00Z",
	"ref": 1, "person": "gone", "via": "shell", "verdict": "wrong-rate", "note": "n"}]}'), 'resolved');
select is((select array_agg(state order by stream) from core.incident), array['resolved', 'open'],
	'only its own');
select ok(alerter.apply('m', 95, '{"facts": [{"kind": "acked", "at": "2026-01-17T09:01:00Z",
	"ref": 1, "person": "sam"}]}'), 'a late acknowledgement');
select is((select state from core.incident where stream = 'm'), 'resolved', 'opens nothing again');

select throws_ok($$select alerter.apply('n', 500, '{"facts": [{"kind": "exposure", "ref": 1,
	"at": "2026-01-17T04:00:00Z", "exposure_gbp": "1.00"}, {"kind": "acked", "ref": 1, "at": "soon"}]}')$$,
	'22007', null, 'an entry that cannot be read is refused');
select is((select exposure_gbp from core.incident where stream = 'n'), 11.5::numeric, 'whole');
select is(alerter.position('n'), 400::bigint, 'and the mark stays');
select throws_ok($$select alerter.apply(null, 1, '{}')$$, '22023', null, 'no outbox: refused');
select throws_ok($$select alerter.apply('n', 0, '{}')$$, '22023', null, 'no position: refused');
select throws_ok($$select alerter.apply('', 1, '{}')$$, '23514', null, 'an empty name: refused');
select ok(alerter.apply('n', 600, '{"v": 9}'), 'an entry without facts only moves the mark');

-- the wall screen
select is_empty($$select v from (select to_jsonb(x)::text as v from noc.incident x
	union all select to_jsonb(x)::text from noc.incident_open x
	union all select to_jsonb(x)::text from noc.incident_timeline x
	union all select to_jsonb(x)::text from noc.delivery x
	union all select to_jsonb(x)::text from noc.oncall_now x
	union all select to_jsonb(x)::text from noc.kpi_now x) y
	where v ~ '2529077|7700.?900101|7946|@|Finishing|rang|Bar international'$$,
	'no number, no address, no customer''s name, nobody''s words');
select is((select account_name from noc.incident limit 1), 'F*** F***', 'of the customer the first letters');
select is((select error from noc.delivery where page = 2), '404', 'what failed is told');
select is((select array_agg(text order by id) from noc.incident_timeline
		where kind in ('attempt', 'acked', 'nobody') and ref = 1),
	array['page 1: failed-temporary: 451 <[address]>: ring [number] or [number]', 'page 1: sent',
		'acknowledged until 03:00 UTC', 'nobody could be told: no contact of sam', 'acknowledged'],
	'in words');
select is((select array_agg(distinct actor) from noc.incident_timeline where actor is not null),
	array['Alex Example', 'Sam Example', 'gone'], 'staff by the name they are called by');
select is((select person from noc.oncall_now), 'Sam Example', 'the last page went to');
select is_empty($$select k from noc.kpi_now x, jsonb_each(to_jsonb(x)) e(k, v) where v = 'null'$$,
	'no figure is null');

-- people come and go
select alerter.people('[{"id": "alex", "name": "Alex Example", "login": "alex", "contacts": [
	{"channel": "email", "target": "alex@example.com", "after_s": 0}]},
	{"id": "sam", "name": "Sam Other", "contacts": [{"channel": "email", "target": "sam@example.com"}]}]');
select is((select array_agg(name || ' ' || (valid_until is null) order by id) from core.person),
	array['Alex Example true', 'Sam Example false', 'Sam Other true'], 'who is the same stays');
select is((select array_agg(target || ' ' || (valid_until is null) order by target) from core.contact),
	array['alex@example.com true', 'desk false', 'sam@example.com true'], 'so do contacts');
select alerter.people('[]');
select is((select count(*) from core.person where valid_until is null)
	+ (select count(*) from core.contact where valid_until is null), 0::bigint, 'nobody is left');
select * from finish();
rollback;
