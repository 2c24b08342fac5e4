-- SPDX-License-Identifier: Apache-2.0
-- How the rules do, for those who tune them: by month, rule and severity, and
-- only where at least five accounts are behind a figure.  There are no totals,
-- since a total less what is shown would be what is not shown.

grant select (id, account_pseudonym, opened_at,
	verdict, exposure_gbp)
	on core.incident to tollwatch_stats;
grant select (incident, at, rule, title, severity, spend_gbp)
	on core.finding to tollwatch_stats;

set local role tollwatch_stats;

-- Names are of the month, and so are the rows: counting them counts accounts.
create view engineer.rule_month with (security_barrier) as
select date_trunc('month', i.opened_at at time zone 'UTC')::date as month,
	f.rule, f.title, f.severity,
	count(distinct i.account_pseudonym) as accounts,
	count(distinct i.id) as incidents,
	count(*) as findings,
	round(avg(f.spend_gbp), 2) as mean_spend_gbp,
	round(avg(i.exposure_gbp), 2) as mean_exposure_gbp,
	case when count(distinct i.account_pseudonym)
		filter (where i.verdict is not null) >= 5
	then round(avg((i.verdict = 'expected')::integer)
		filter (where i.verdict is not null), 2) end as share_expected
from core.finding f join core.incident i on i.id = f.incident
where i.account_pseudonym is not null
group by 1, 2, 3, 4
having count(distinct i.account_pseudonym) >= 5;

grant select on engineer.rule_month to tollwatch_engineer;
reset role;

comment on view engineer.rule_month is 'What each rule found in a month; a row stands for five accounts at least.';
comment on column engineer.rule_month.month is 'First day, UTC; of the incident''s opening [class: operational; keep: as its table]';
comment on column engineer.rule_month.rule is 'Rule [class: operational; keep: as its table]';
comment on column engineer.rule_month.title is 'Its name [class: operational; keep: as its table]';
comment on column engineer.rule_month.severity is 'Severity of the findings [class: operational; keep: as its table]';
comment on column engineer.rule_month.accounts is 'Accounts behind the row, 5 or more [class: operational; keep: as its table]';
comment on column engineer.rule_month.incidents is 'Incidents [class: operational; keep: as its table]';
comment on column engineer.rule_month.findings is 'Findings [class: operational; keep: as its table]';
comment on column engineer.rule_month.mean_spend_gbp is 'Mean cost in the window when it fired [class: operational; keep: as its table]';
comment on column engineer.rule_month.mean_exposure_gbp is 'Mean cost of the incidents in the end [class: operational; keep: as its table]';
comment on column engineer.rule_month.share_expected is 'Share of verdicts "expected"; null below five accounts with one [class: operational; keep: as its table]';
