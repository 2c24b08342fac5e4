-- SPDX-License-Identifier: Apache-2.0
-- Incidents, the findings that joined them, the calls that prove them.
--
-- A reference is unique in one outbox (stream).  Two outboxes may give the
-- same one when a site lost its state folder while the database was away, so
-- the key here is our own.

set local role tollwatch_core;

create table core.incident (
	id bigint generated always as identity primary key,
	stream text not null,
	ref bigint not null check (ref > 0),
	finding text not null,
	family text not null,
	subject text not null,
	account text,
	account_name text,
	account_masked text,
	trunk text,
	severity text not null,
	state text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
	rule text,
	title text,
	first_action text,
	top_country text,
	config_version text,
	opened_at timestamptz not null,
	first_call_at timestamptz,
	findings integer not null default 0,
	exposure_at timestamptz,
	exposure_gbp numeric(20,8) not null default 0,
	exposure_retail_gbp numeric(20,8) not null default 0,
	burn_gbp_min numeric(20,8) not null default 0,
	projection_gbp numeric(20,8) not null default 0,
	calls bigint not null default 0,
	live_calls bigint not null default 0,
	first_page_at timestamptz,
	exposure_gbp_at_first_page numeric(20,8),
	exposure_gbp_at_page numeric(20,8),
	run integer not null default 0,
	step integer,
	nobody_at timestamptz,
	first_acked_at timestamptz,
	acked_at timestamptz,
	acked_by text,
	ack_until timestamptz,
	resolved_at timestamptz,
	resolved_by text,
	verdict text,
	note text,
	unique (stream, ref)
);
create index incident_open on core.incident (opened_at) where state <> 'resolved';
create index incident_ref on core.incident (ref);

create table core.finding (
	id bigint generated always as identity primary key,
	incident bigint not null references core.incident,
	finding text not null,
	at timestamptz not null,
	rule text,
	title text,
	severity text,
	key text,
	spend_gbp numeric(20,8),
	exposure_gbp numeric(20,8),
	calls bigint,
	config_version text,
	rates_version text,
	detail jsonb not null,
	unique (incident, finding)
);

create table core.evidence_call (
	finding bigint not null references core.finding,
	n integer not null,
	call_key text,
	setup_at timestamptz,
	answer_at timestamptz,
	end_at timestamptz,
	cost_gbp numeric(20,8),
	callee text,
	country text,
	live boolean,
	primary key (finding, n)
);

grant select, insert on core.incident, core.finding, core.evidence_call to tollwatch_writer;
grant update (account_name, account_masked, trunk, severity, state, rule, title,
	first_action, top_country, config_version, first_call_at, findings,
	exposure_at, exposure_gbp, exposure_retail_gbp, burn_gbp_min,
	projection_gbp, calls, live_calls, first_page_at,
	exposure_gbp_at_first_page, exposure_gbp_at_page, run, step, nobody_at,
	first_acked_at, acked_at, acked_by, ack_until, resolved_at,
	resolved_by, verdict, note)
	on core.incident to tollwatch_writer;
grant select (id, ref, finding, family, subject, account, account_masked,
	trunk, severity, state, rule, title, top_country, config_version,
	opened_at, first_call_at, findings, exposure_at, exposure_gbp,
	exposure_retail_gbp, burn_gbp_min, projection_gbp, calls, live_calls,
	exposure_gbp_at_first_page, exposure_gbp_at_page, nobody_at,
	first_acked_at, acked_at, acked_by, ack_until, resolved_at,
	resolved_by, verdict)
	on core.incident to tollwatch_masked;

comment on table core.incident is 'One subject and family in trouble, from the first finding to a verdict.';
comment on column core.incident.id is 'Key [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.stream is 'Outbox that told of it [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.ref is 'Number that people say [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.finding is 'Id of the finding that opened it [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.family is 'toll, access, feed... [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.subject is 'What is in trouble: account:acme, platform, feed:x [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.account is 'Account code [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.account_name is 'Name of the customer, who may be a person [class: personal; keep: 180 d after resolved_at]';
comment on column core.incident.account_masked is 'First letters of it [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.trunk is 'Trunk of the latest finding [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.severity is 'Highest so far: warning, critical [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.state is 'open, acknowledged, resolved [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.rule is 'Rule of the latest finding of the highest severity [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.title is 'Name of that rule [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.first_action is 'What that rule says to do first [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.top_country is 'Country most called [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.config_version is 'Hash of the config of that finding [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.opened_at is 'When it opened [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.first_call_at is 'First call of any finding [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.findings is 'How many joined [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.exposure_at is 'When the sums below were true [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.exposure_gbp is 'Cost to the provider so far [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.exposure_retail_gbp is 'The same at the price of sale [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.burn_gbp_min is 'Cost a minute [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.projection_gbp is 'Cost if nobody acts before opening time [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.calls is 'Calls that matched [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.live_calls is 'Of them still up [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.first_page_at is 'When the first page was queued [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.exposure_gbp_at_first_page is 'Cost when the first page was queued [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.exposure_gbp_at_page is 'Cost when the latest page was queued [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.run is 'How often paging began anew [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.step is 'Escalation step reached, from 0 [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.nobody_at is 'When nobody could be told, last [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.first_acked_at is 'First acknowledgement [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.acked_at is 'Latest acknowledgement [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.acked_by is 'Whose: handle [class: personal; keep: 13 months after resolved_at]';
comment on column core.incident.ack_until is 'How long it holds; null: it ran out [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.resolved_at is 'When it was resolved [class: operational; keep: 13 months after resolved_at]';
comment on column core.incident.resolved_by is 'Who: handle [class: personal; keep: 13 months after resolved_at]';
comment on column core.incident.verdict is 'fraud, expected, wrong-rate, test, other [class: customer; keep: 13 months after resolved_at]';
comment on column core.incident.note is 'What they wrote, last [class: personal; keep: 180 d after resolved_at]';

comment on table core.finding is 'A rule that fired, as the analyzer told it.';
comment on column core.finding.id is 'Key [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.incident is 'Incident it joined [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.finding is 'The analyzer''s id [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.at is 'The crossing [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.rule is 'Rule [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.title is 'Name of the rule [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.severity is 'warning, critical [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.key is 'What was counted; of some rules a whole number [class: personal; keep: 180 d after the incident closed]';
comment on column core.finding.spend_gbp is 'Cost in the window [class: customer; keep: 13 months after the incident closed]';
comment on column core.finding.exposure_gbp is 'Cost so far, then [class: customer; keep: 13 months after the incident closed]';
comment on column core.finding.calls is 'Calls in the window [class: customer; keep: 13 months after the incident closed]';
comment on column core.finding.config_version is 'Hash of the config [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.rates_version is 'Hash of the rate deck [class: operational; keep: 13 months after the incident closed]';
comment on column core.finding.detail is 'The whole finding, numbers of the evidence masked [class: personal; keep: 180 d after the incident closed]';

comment on table core.evidence_call is 'The dearest calls of a finding.';
comment on column core.evidence_call.finding is 'Finding [class: operational; keep: 180 d after the incident closed]';
comment on column core.evidence_call.n is 'From 1, dearest first [class: operational; keep: 180 d after the incident closed]';
comment on column core.evidence_call.call_key is 'Keyed hash of the call''s identity [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.setup_at is 'Set-up [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.answer_at is 'Answer; null: none [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.end_at is 'End; null: was up [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.cost_gbp is 'Cost at the time of the finding [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.callee is 'Whole number called [class: personal; keep: 180 d after the incident closed]';
comment on column core.evidence_call.country is 'Country called [class: customer; keep: 180 d after the incident closed]';
comment on column core.evidence_call.live is 'Was up at the time of the finding [class: customer; keep: 180 d after the incident closed]';
