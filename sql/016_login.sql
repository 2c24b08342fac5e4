-- SPDX-License-Identifier: Apache-2.0
-- Log-in: something one knows and something one has.
--
-- A function that said at once whether a password is right would say it also
-- to who rolls the transaction back, and with it the count of failures.  So
--
--   authn.login(...)         decides, counts, and gives a token in any case;
--   commit
--   authn.login_result(token)  says what came of it
--
-- The token of a refusal opens nothing, and none opens anything before the
-- transaction that made it is over.  A handle that does not exist costs as
-- much time, and is answered in the same words, as a wrong password.

set local role tollwatch_authn;

create table authn.secret (
	staff bigint primary key references authn.staff,
	password text not null check (password ~ '^\$2[ab]\$12\$'),
	seed bytea not null check (length(seed) = 20),
	last_step bigint not null default 0,
	fails integer not null default 0,
	fails_total integer not null default 0,
	locked_until timestamptz,
	enrolled_at timestamptz not null default clock_timestamp()
);

create table authn.session (
	token_hash bytea primary key check (length(token_hash) = 32),
	staff bigint references authn.staff,
	code text not null,
	roles text[] not null default '{}',
	address inet,
	made_by xid8 not null default pg_current_xact_id(),
	opened_at timestamptz not null default clock_timestamp(),
	code_at timestamptz not null default clock_timestamp(),
	seen_at timestamptz not null default clock_timestamp(),
	expires_at timestamptz not null,
	closed_at timestamptz,
	check (code <> 'ok' or staff is not null)
);
create index session_opened on authn.session (opened_at);

-- RFC 6238 (SHA-1, 30 s), RFC 4226 section 5.3.
create function authn.totp(p_seed bytea, p_step bigint, p_digits integer default 6)
returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	mac bytea := crypto.hmac(int8send(p_step), p_seed, 'sha1');
	at integer := get_byte(mac, 19) & 15;
	n bigint;
begin
	n := ((get_byte(mac, at) & 127)::bigint << 24)
		| (get_byte(mac, at + 1) << 16)
		| (get_byte(mac, at + 2) << 8) | get_byte(mac, at + 3);
	return lpad((n % (10 ^ p_digits)::bigint)::text, p_digits, '0');
end
$$;

-- The step of a code that is right now, or was 30 s ago, or will be, and is
-- later than any used before; null: it is not right.
create function authn.totp_step(p_seed bytea, p_code text, p_last bigint,
	p_now timestamptz) returns bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
	select max(s) from generate_series(
		floor(extract(epoch from p_now) / 30)::bigint - 1,
		floor(extract(epoch from p_now) / 30)::bigint + 1) s
	where s > p_last and p_code ~ '^[0-9]{6}$'
		and authn.totp(p_seed, s) = p_code;
$$;

-- One bcrypt, whoever it is and whatever was typed.  bcrypt looks at 72 bytes.
create function authn.password_is(p_hash text, p_password text) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp as $$
	select (crypto.crypt(case when octet_length(p_password) <= 72
			then p_password else '' end,
			coalesce(p_hash, '$2a$12$CwTycUXWue0Thq9StjUM0uJ8z7p1Qb4l5iKZzJx3nQx1fFGkd2Zp2'))
		= p_hash and octet_length(p_password) between 12 and 72) is true;
$$;

-- Why this person may not come in: for the log; they are told 'refused'.
create function authn.check_secret(s authn.staff, x authn.secret,
	p_password text, p_code text, out code text, out step bigint)
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
	right_password boolean := authn.password_is(x.password, p_password);
begin
	step := authn.totp_step(coalesce(x.seed, '\x00'), p_code,
		coalesce(x.last_step, 0), clock_timestamp());
	code := case
	when s.id is null then 'unknown'
	when authn.may_work(s) is not true then 'inactive'
	when x.staff is null then 'not_enrolled'
	when (x.fails_total >= 100) is not false then 'disabled'
	when (x.locked_until > clock_timestamp()) is true then 'locked'
	when right_password is not true then 'password'
	when step is null then 'code'
	else 'ok' end;
end
$$;

create function authn.count(x authn.secret, p_code text, p_step bigint) returns void
language sql set search_path = pg_catalog, pg_temp as $$
	update authn.secret o set
		last_step = case when p_code = 'ok' then p_step else o.last_step end,
		fails = case when p_code = 'ok' then 0
			when p_code in ('password', 'code') then (o.fails + 1) % 5
			else o.fails end,
		fails_total = o.fails_total
			+ (p_code in ('password', 'code'))::integer,
		locked_until = case when p_code in ('password', 'code')
				and o.fails >= 4
			then clock_timestamp() + authn.span('lock')
			else o.locked_until end
	where o.staff = x.staff;
$$;

create function authn.open_session(p_staff bigint, p_code text, p_roles text[],
	p_address inet, p_expires timestamptz) returns bytea
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	token bytea := crypto.gen_random_bytes(32);
begin
	insert into authn.session (token_hash, staff, code, roles, address, expires_at)
	values (sha256(token), p_staff, p_code, p_roles, p_address, p_expires);
	delete from authn.session o
		where o.opened_at < clock_timestamp() - interval '30 days';
	return token;
end
$$;

create function authn.login(p_handle text, p_password text, p_code text,
	p_address inet default null) returns table (code text, token bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s authn.staff;
	x authn.secret;
	c record;
	address inet := coalesce(p_address, inet_client_addr());
	roles text[];
	said text;
begin
	select * into s from authn.staff o where o.handle = p_handle;
	select * into x from authn.secret o where o.staff = s.id for update;
	select * into c from authn.check_secret(s, x, p_password, p_code);
	said := c.code;
	perform authn.count(x, said, c.step);
	roles := authn.roles_from(authn.roles_of(s.id), address);
	if said = 'ok' and cardinality(roles) = 0 then
		said := 'no_role_here';
	end if;
	token := authn.open_session(s.id, said, roles, address,
		clock_timestamp() + authn.span('session_lasts'));
	perform audit.append('login', said, s.handle,
		p_subject => case when s.id is null then 'no such handle' end,
		p_detail => 'from ' || coalesce(host(address), 'this machine'));
	code := 'pending';
	return next;
end
$$;

create function authn.login_result(p_token bytea) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select coalesce((select case when o.code = 'ok' then 'ok'
			when o.code = 'no_role_here' then o.code
			else 'refused' end
		from authn.session o
		where o.token_hash = sha256(p_token)
		and (o.made_by is distinct from pg_current_xact_id_if_assigned()
			and pg_xact_status(o.made_by) = 'committed') is true),
		'not_committed');
$$;

-- Whose token it is, for the functions that decide.
create function authn.who(p_token bytea, p_role text default null,
	p_max_age interval default null)
returns table (code text, staff bigint, handle text, roles text[], code_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o authn.session;
	s authn.staff;
begin
	select * into o from authn.session x where x.token_hash = sha256(p_token);
	select * into s from authn.staff x where x.id = o.staff;
	code := case
	when o.token_hash is null or o.code is distinct from 'ok'
		or o.closed_at is not null
		or (o.made_by is distinct from pg_current_xact_id_if_assigned()
			and pg_xact_status(o.made_by) = 'committed') is not true
		then 'no_session'
	when (o.expires_at > clock_timestamp() and o.seen_at
		+ authn.span('session_idle') > clock_timestamp()) is not true
		then 'expired'
	when authn.may_work(s) is not true then 'inactive'
	else 'ok' end;
	if code = 'no_session' then
		return next;
		return;
	end if;
	staff := s.id;
	handle := s.handle;
	code_at := o.code_at;
	select coalesce(array_agg(r order by r), '{}') into roles
	from unnest(authn.roles_of(s.id)) r where r = any (o.roles);
	if code = 'ok' and p_role is not null
		and (p_role = any (roles)) is not true then
		code := 'not_role';
	elsif code = 'ok' and p_max_age is not null
		and (o.code_at + p_max_age > clock_timestamp()) is not true then
		code := 'step_up';
	end if;
	-- not at every look: calls of one session would wait for each other
	if code <> 'expired' and code <> 'inactive'
		and o.seen_at < clock_timestamp() - interval '1 minute' then
		update authn.session x set seen_at = clock_timestamp()
			where x.token_hash = o.token_hash;
	end if;
	return next;
end
$$;

-- Password and code again, for what wants them fresh.  The new token takes the
-- place of the old; the same two steps as to log in.
create function authn.step_up(p_token bytea, p_password text, p_code text)
returns table (code text, token bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
	o authn.session;
	s authn.staff;
	x authn.secret;
	c record;
begin
	select * into w from authn.who(p_token);
	select * into o from authn.session y where y.token_hash = sha256(p_token);
	select * into s from authn.staff y where y.id = w.staff;
	select * into x from authn.secret y where y.staff = s.id for update;
	select * into c from authn.check_secret(s, x, p_password, p_code);
	if w.code = 'ok' then
		perform authn.count(x, c.code, c.step);
	else
		c.code := coalesce(w.code, 'no_session');
	end if;
	token := authn.open_session(s.id, c.code, o.roles, o.address,
		coalesce(o.expires_at, clock_timestamp()));
	if c.code = 'ok' then
		update authn.session y set closed_at = clock_timestamp()
			where y.token_hash = o.token_hash;
	end if;
	perform audit.append('step_up', c.code, s.handle);
	code := 'pending';
	return next;
end
$$;

create function authn.logout(p_token bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	if w.code = 'no_session' then
		return w.code;
	end if;
	update authn.session x set closed_at = clock_timestamp()
		where x.token_hash = sha256(p_token);
	perform audit.append('logout', 'ok', w.handle);
	return 'ok';
end
$$;

create function authn.me(p_token bytea) returns table (code text, handle text,
	name text, roles text[], expires_at timestamptz, code_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	w record;
begin
	select * into w from authn.who(p_token);
	return query select w.code, s.handle, s.name, w.roles, o.expires_at, o.code_at
	from (values (1)) one(n)
		left join authn.staff s on s.id = w.staff and w.code = 'ok'
		left join authn.session o on o.token_hash = sha256(p_token)
			and w.code = 'ok';
end
$$;

grant execute on function authn.login(text, text, text, inet),
	authn.login_result(bytea), authn.step_up(bytea, text, text),
	authn.logout(bytea), authn.me(bytea)
	to tollwatch_console, tollwatch_auditor, tollwatch_dpo;
grant execute on function authn.who(bytea, text, interval)
	to tollwatch_access, tollwatch_change, tollwatch_audit;
reset role;

comment on function authn.login(text, text, text, inet) is
	'Try to log in; commit, then authn.login_result says what came of it.';
comment on function authn.login_result(bytea) is
	'ok, refused (wrong, unknown, locked: not told which), no_role_here, not_committed.';
comment on function authn.who(bytea, text, interval) is
	'Whose session: ok, no_session, expired, inactive, not_role, step_up.';
comment on function authn.step_up(bytea, text, text) is
	'Password and code again; commit, then authn.login_result of the new token.';
comment on table authn.secret is 'What proves who somebody is; no function shows it.';
comment on column authn.secret.staff is 'Whose [class: operational; keep: until they leave]';
comment on column authn.secret.password is 'bcrypt, cost 12 [class: personal; keep: until they leave]';
comment on column authn.secret.seed is 'TOTP seed, shown once at enrolment [class: personal; keep: until they leave]';
comment on column authn.secret.last_step is 'Step of the last code used [class: operational; keep: until they leave]';
comment on column authn.secret.fails is 'Failures since the last success or lock [class: operational; keep: until they leave]';
comment on column authn.secret.fails_total is 'Failures since enrolment; 100 want a reset [class: operational; keep: until they leave]';
comment on column authn.secret.locked_until is 'No log-in before [class: operational; keep: until they leave]';
comment on column authn.secret.enrolled_at is 'When [class: operational; keep: until they leave]';
comment on table authn.session is 'Sessions, and tries that opened none.';
comment on column authn.session.token_hash is 'SHA-256 of the token [class: operational; keep: 30 d]';
comment on column authn.session.staff is 'Whose; null: no such handle [class: operational; keep: 30 d]';
comment on column authn.session.code is 'ok, or why there is none [class: operational; keep: 30 d]';
comment on column authn.session.roles is 'Roles that could be used from there then [class: operational; keep: 30 d]';
comment on column authn.session.address is 'From where; null: this machine [class: personal; keep: 30 d]';
comment on column authn.session.made_by is 'Transaction that made it [class: operational; keep: 30 d]';
comment on column authn.session.opened_at is 'When [class: operational; keep: 30 d]';
comment on column authn.session.code_at is 'When password and code were last given [class: operational; keep: 30 d]';
comment on column authn.session.seen_at is 'Last used, to the minute [class: operational; keep: 30 d]';
comment on column authn.session.expires_at is 'Ends at the latest [class: operational; keep: 30 d]';
comment on column authn.session.closed_at is 'Ended by logging out, or another in its place [class: operational; keep: 30 d]';
