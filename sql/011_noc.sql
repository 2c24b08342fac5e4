-- SPDX-License-Identifier: Apache-2.0
-- What a wall screen may show: no customer's name, no number, no address; of
-- staff the name they are called by.  A column once here stays here.

set local role tollwatch_masked;

create view noc.incident with (security_barrier) as
select i.finding as id, i.ref, i.severity, i.state, i.family, i.subject,
	i.account, i.account_masked as account_name, i.trunk, i.rule, i.title,
	i.opened_at, i.acked_at, coalesce(a.name, i.acked_by) as acked_by,
	i.ack_until, i.resolved_at, coalesce(r.name, i.resolved_by) as resolved_by,
	extract(epoch from i.first_acked_at - i.opened_at)::bigint as mtta_s,
	extract(epoch from i.resolved_at - i.opened_at)::bigint as duration_s,
	i.exposure_at, i.exposure_gbp, i.exposure_retail_gbp, i.burn_gbp_min,
	i.projection_gbp, i.exposure_gbp_at_first_page, i.exposure_gbp_at_page,
	i.calls, i.live_calls, i.findings, i.top_country, i.verdict,
	i.nobody_at, i.config_version
from core.incident i
	left join core.person a on a.handle = i.acked_by and a.valid_until is null
	left join core.person r on r.handle = i.resolved_by and r.valid_until is null;

create view noc.incident_open with (security_barrier) as
select i.*,
	greatest(0, extract(epoch from now() - i.opened_at))::bigint as age_s,
	case i.severity when 'critical' then 0 else 2 end
		+ case i.state when 'open' then 0 else 1 end as sort_key
from noc.incident i
where i.state <> 'resolved';

create view noc.incident_timeline with (security_barrier) as
select t.id, t.at as time, i.finding as incident_id, i.ref, t.kind,
	coalesce(p.name, t.person) as actor, t.text, t.recorded_at
from core.timeline t
	join core.incident i on i.id = t.incident
	left join core.person p on p.handle = t.person and p.valid_until is null;

create view noc.delivery with (security_barrier) as
select d.page, d.queued_at as time, i.finding as incident_id, i.ref,
	coalesce(p.name, d.person) as person, d.channel, d.reason, d.step,
	d.state, d.attempts, d.due_at, d.sent_at, d.delivered_at,
	extract(epoch from d.sent_at - d.queued_at)::float8 as latency_s,
	d.exposure_gbp_at_page, d.error_masked as error
from core.delivery d
	left join core.incident i on i.id = d.incident
	left join core.person p on p.handle = d.person and p.valid_until is null;

-- The rota is the alerter's; here is whom it called last.
create view noc.oncall_now with (security_barrier) as
select d.person, d.time as since, d.channel, d.state, d.ref
from noc.delivery d
order by d.time desc, d.page desc
limit 1;

create view noc.kpi_now with (security_barrier) as
select
	count(*) filter (where o.severity = 'critical') as open_critical,
	count(*) filter (where o.severity <> 'critical') as open_warning,
	count(*) filter (where o.state = 'open') as unacked,
	coalesce(max(o.age_s) filter (where o.state = 'open'), 0) as oldest_unacked_s,
	coalesce(sum(o.exposure_gbp), 0) as exposure_gbp,
	coalesce(sum(o.burn_gbp_min), 0) as rate_gbp_per_min,
	coalesce(sum(o.live_calls), 0)::bigint as live_suspect_calls,
	coalesce((select n.person from noc.oncall_now n), '') as oncall_name,
	coalesce((select avg(i.mtta_s) from noc.incident i
		where i.opened_at > now() - interval '30 days'), 0)::bigint as mtta_s_30d,
	(select count(*) from noc.delivery d
		where d.state like 'failed-%') as pages_failed
from noc.incident_open o;

grant select on noc.incident, noc.incident_open, noc.incident_timeline,
	noc.delivery, noc.oncall_now, noc.kpi_now to tollwatch_noc;

comment on view noc.incident is 'Incidents, masked.';
comment on view noc.incident_open is 'Incidents without a verdict, masked; order by sort_key, opened_at.';
comment on view noc.incident_timeline is 'What happened to each incident.';
comment on view noc.delivery is 'Pages: to whom, by which channel, what came of it.';
comment on view noc.oncall_now is 'Whom the last page went to.';
comment on view noc.kpi_now is 'One row of figures, none of them null.';

-- A column says here what it says in its table; only what is computed needs
-- its own words.
do $$
declare
	c record;
	said constant jsonb := '{
		"id": "Id of the finding that opened it",
		"account_name": "First letters of the customer''s name",
		"acked_by": "Who acknowledged it last",
		"resolved_by": "Who gave the verdict",
		"mtta_s": "Seconds until first acknowledged",
		"duration_s": "Seconds until resolved",
		"age_s": "Seconds since it opened",
		"sort_key": "0 critical and open ... 3 warning and acknowledged",
		"time": "When it happened",
		"incident_id": "Id of the finding that opened the incident",
		"actor": "Who was told, or did it",
		"person": "Who was told",
		"latency_s": "Seconds from decision to acceptance by the relay",
		"error": "What the last try failed with, masked",
		"since": "When they were paged",
		"open_critical": "Open critical incidents",
		"open_warning": "Open warnings",
		"unacked": "Open incidents nobody has taken",
		"oldest_unacked_s": "Seconds since the oldest of them opened",
		"exposure_gbp": "Cost to the provider so far",
		"rate_gbp_per_min": "Cost a minute now",
		"live_suspect_calls": "Suspect calls up now",
		"oncall_name": "Whom the last page went to",
		"mtta_s_30d": "Mean seconds until acknowledged, of 30 days",
		"pages_failed": "Pages that failed and were not sent since"
	}';
	words text;
begin
	for c in
		select v.relname, a.attname from pg_catalog.pg_class v
		join pg_catalog.pg_attribute a on a.attrelid = v.oid
		where v.relnamespace = 'noc'::regnamespace and a.attnum > 0
	loop
		words := said->>c.attname;
		if words is null then
			select regexp_replace(col_description(a.attrelid, a.attnum),
				'\s*\[class:.*$', '') into words
			from pg_catalog.pg_attribute a
			where a.attname = c.attname and a.attrelid = any (array[
				'core.incident'::regclass, 'core.timeline'::regclass,
				'core.delivery'::regclass])
				and col_description(a.attrelid, a.attnum) is not null
			order by (a.attrelid = 'core.delivery'::regclass)
				= (c.relname in ('delivery', 'oncall_now')) desc
			limit 1;
		end if;
		execute format('comment on column noc.%I.%I is %L', c.relname,
			c.attname, coalesce(words, c.attname)
				|| ' [class: operational; keep: as its table]');
	end loop;
end
$$;
