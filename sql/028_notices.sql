-- SPDX-License-Identifier: Apache-2.0
-- What the database has to tell the alerter, who tells people.
--
-- There is no scheduler here: what falls due (a review, the end of an action)
-- becomes a notice when the alerter next asks.  It is shown no notice of its
-- own transaction and none that a crash could still take back, so that
-- whatever it does upon one is on the record first.

grant create on schema alerter to tollwatch_access;
set local role tollwatch_access;

create table access.notice (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	kind text not null check (kind in ('break_glass', 'review_overdue',
		'decision', 'action', 'undo', 'mass_disclosure', 'audit_late')),
	incident bigint,
	person text,
	text text not null,
	doc jsonb not null,
	once text unique,
	made_by xid8 not null default pg_current_xact_id(),
	done_at timestamptz,
	result text
);
create index notice_open on access.notice (id) where done_at is null;

-- Written once for each p_once.
create function access.tell(p_kind text, p_incident bigint, p_person text,
	p_text text, p_doc jsonb, p_once text default null) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	insert into access.notice (kind, incident, person, text, doc, once)
	values (p_kind, p_incident, p_person, p_text,
		coalesce(p_doc, '{}'), p_once)
	on conflict (once) do nothing;
$$;

-- 'incident 7 (toll, A*** E***)': fit for any channel.
create function access.called(p_incident bigint) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
	select 'incident ' || i.ref || ' (' || i.family
		|| coalesce(', ' || i.account_masked, '') || ')'
	from core.incident i where i.id = p_incident;
$$;

-- Is all on disk that was written before p_lsn?  Waits for it, p_wait at most.
-- A commit that did not wait for the disk (synchronous_commit = off, which any
-- client may set) is visible before a crash can no longer undo it.
-- What belongs to no transaction (the tidying of a page) stays in memory until
-- the next commit, so that a "no" may be of that: who asks commits, and asks
-- once more.
create function access.durable(p_lsn pg_lsn, p_wait interval) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	wanted pg_lsn := p_lsn;
	inside bigint := ((p_lsn - '0/0'::pg_lsn) % 8192)::bigint;
	until timestamptz := clock_timestamp() + p_wait;
begin
	-- The place to insert at skips a page's header (24 bytes, 40 in a
	-- segment's first) that is written with what comes after it.
	if inside = 24 or (inside = 40 and (p_lsn - '0/0'::pg_lsn)
		% pg_size_bytes(current_setting('wal_segment_size')) = 40) then
		wanted := p_lsn - inside::numeric;
	end if;
	while (pg_current_wal_flush_lsn() >= wanted) is not true loop
		if (clock_timestamp() < until) is not true then
			return false;
		end if;
		perform pg_sleep(0.002);
	end loop;
	return true;
end
$$;

create function access.remind() returns void
language sql set search_path = pg_catalog, pg_temp as $$
	select access.tell('review_overdue', g.incident, g.handle,
		format('break-glass %s of %s on %s was to be reviewed by %s UTC',
			g.id, g.handle, access.called(g.incident),
			to_char(g.review_due at time zone 'UTC', 'Dy DD Mon HH24:MI')),
		jsonb_build_object('grant', g.id, 'due', g.review_due),
		format('review_overdue %s %s', g.id,
			(clock_timestamp() at time zone 'Europe/London')::date))
	from access."grant" g
	where g.reviewed_at is null and g.review_due < clock_timestamp();
$$;

-- Not yet done: those after p_after at once, all others again every half
-- minute, as ids do not become visible in order and an alerter may have ended
-- between reading one and doing it.  Each is to be done once by its id.
create function alerter.notices(p_after bigint) returns table (id bigint,
	at timestamptz, kind text, stream text, ref bigint, person text,
	text text, doc jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	lsn pg_lsn := pg_current_wal_insert_lsn();
begin
	perform access.remind();
	if access.durable(lsn, '0') is not true then
		perform pg_logical_emit_message(true, 'tollwatch', '');
		return;
	end if;
	return query select n.id, n.at, n.kind, i.stream, i.ref, n.person,
		n.text, n.doc
	from access.notice n left join core.incident i on i.id = n.incident
	where n.done_at is null and n.made_by
			is distinct from pg_current_xact_id_if_assigned()
		and (n.id > coalesce(p_after, 0)
			or n.at < clock_timestamp() - interval '30 seconds')
	order by n.id limit 100;
end
$$;
grant execute on function alerter.notices(bigint) to tollwatch_alerter;
comment on function alerter.notices(bigint) is
	'What is to be told or done; each until notice_done.';

create function alerter.notice_done(p_id bigint, p_result text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update access.notice n set done_at = clock_timestamp(),
		result = left(coalesce(p_result, ''), 200)
	where n.id = p_id and n.done_at is null;
$$;
grant execute on function alerter.notice_done(bigint, text) to tollwatch_alerter;
comment on function alerter.notice_done(bigint, text) is
	'It was told, or done, or cannot be; p_result says which.';

reset role;
revoke create on schema alerter from tollwatch_access;

comment on table access.notice is 'What the alerter is to tell people, or to do.';
comment on column access.notice.id is 'Key [class: operational; keep: 13 months]';
comment on column access.notice.at is 'When it arose [class: operational; keep: 13 months]';
comment on column access.notice.kind is 'break_glass, action... [class: operational; keep: 13 months]';
comment on column access.notice.incident is 'core.incident.id [class: operational; keep: 13 months]';
comment on column access.notice.person is 'Whose act: handle [class: personal; keep: 13 months]';
comment on column access.notice.text is 'One line, masked [class: operational; keep: 13 months]';
comment on column access.notice.doc is 'The same for a program; an account by its code [class: customer; keep: 13 months]';
comment on column access.notice.once is 'What must not be told twice [class: operational; keep: 13 months]';
comment on column access.notice.made_by is 'Transaction it came with [class: operational; keep: 13 months]';
comment on column access.notice.done_at is 'When the alerter was through with it [class: operational; keep: 13 months]';
comment on column access.notice.result is 'How it went [class: operational; keep: 13 months]';
