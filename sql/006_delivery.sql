-- SPDX-License-Identifier: Apache-2.0
-- Pages: one row each, and one for every try.

set local role tollwatch_core;

create table core.delivery (
	id bigint generated always as identity primary key,
	stream text not null,
	page bigint not null check (page > 0),
	incident bigint references core.incident,
	person text,
	channel text not null,
	target text,
	reason text not null,
	run integer,
	step integer,
	state text not null default 'queued',
	exposure_gbp_at_page numeric(20,8),
	queued_at timestamptz not null,
	due_at timestamptz,
	sent_at timestamptz,
	delivered_at timestamptz,
	attempts integer not null default 0,
	error text,
	error_masked text,
	unique (stream, page)
);
create index delivery_incident on core.delivery (incident);
create index delivery_queued on core.delivery (queued_at);

create table core.delivery_attempt (
	id bigint generated always as identity primary key,
	delivery bigint not null references core.delivery,
	attempt integer not null,
	at timestamptz not null,
	state text not null,
	due_at timestamptz,
	error text
);
create index delivery_attempt_of on core.delivery_attempt (delivery);

grant select, insert on core.delivery, core.delivery_attempt to tollwatch_writer;
grant update (state, due_at, sent_at, delivered_at, attempts, error, error_masked)
	on core.delivery to tollwatch_writer;
grant select (id, page, incident, person, channel, reason, step, state,
	exposure_gbp_at_page, queued_at, due_at, sent_at, delivered_at,
	attempts, error_masked)
	on core.delivery to tollwatch_masked;

comment on table core.delivery is 'A page to one contact of one person.';
comment on column core.delivery.id is 'Key [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.stream is 'Outbox that told it [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.page is 'Number that people say [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.incident is 'Incident; null: a test page [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.person is 'Who is told: handle [class: personal; keep: 13 months after queued_at]';
comment on column core.delivery.channel is 'email, webhook [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.target is 'Address, or the name of a webhook [class: personal; keep: 180 d after queued_at]';
comment on column core.delivery.reason is 'opened, doubled, step... [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.run is 'Run of paging [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.step is 'Escalation step, from 0 [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.state is 'queued, sending, sent, delivered, failed-temporary, failed-permanent, cancelled [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.exposure_gbp_at_page is 'Cost that the page speaks of [class: customer; keep: 13 months after queued_at]';
comment on column core.delivery.queued_at is 'When it was decided [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.due_at is 'When it is to be tried, first or again [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.sent_at is 'When the relay took it [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.delivered_at is 'When a receipt came [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.attempts is 'Tries so far [class: operational; keep: 13 months after queued_at]';
comment on column core.delivery.error is 'What the last try failed with, in the other end''s words [class: personal; keep: 180 d after queued_at]';
comment on column core.delivery.error_masked is 'The same without addresses and numbers [class: operational; keep: 13 months after queued_at]';

comment on table core.delivery_attempt is 'One try, and what came of it.';
comment on column core.delivery_attempt.id is 'Order [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.delivery is 'Page [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.attempt is 'From 1; 0: cancelled before any [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.at is 'When [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.state is 'What came of it [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.due_at is 'When the next try is due [class: operational; keep: 180 d after at]';
comment on column core.delivery_attempt.error is 'What it failed with, in the other end''s words [class: personal; keep: 180 d after at]';
