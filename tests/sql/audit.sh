#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The log against whoever owns the database: what a superuser changes, cuts or
# makes anew is found as far as it was signed, and what was not signed is said
# to be unproven.  A25, S07, S08 of reference/security.md.
. "$(dirname "$0")/../support/lib.sh"
. tests/support/pg.sh
need minisign
pg_new || { not_ok "a PostgreSQL for the test"; finish; }
"$bin/tollwatch" db migrate --dsn "$dsn" >"$dir/migrate" 2>&1 || {
	not_ok "migrate: $(tail -1 "$dir/migrate")"
	finish
}
root() { sql postgres "$1"; }
as_checkpoint="host=$pg_sock user=tollwatch_checkpoint dbname=tollwatch"
key=$dir/keys/checkpoint
a=$dir/a b=$dir/b
mkdir "$a" "$b"
"$bin/tollwatch" audit key --out "$dir/keys" >/dev/null || not_ok "a key"
# Their last line of output is in $said, their exit code the function's.
make_one() {
	"$bin/tollwatch" audit checkpoint --key "$key.key" --to "$a" --to "$b" \
		--dsn "$as_checkpoint" "$@" >"$dir/said" 2>&1
	local rc=$?
	said=$(tail -1 "$dir/said")
	return $rc
}
verify() {
	"$bin/tollwatch" audit verify --pub "$key.pub" --checkpoints "$a" \
		--checkpoints "$b" "${@:---dsn=$as_checkpoint}" >"$dir/said" 2>&1
	local rc=$?
	said=$(tail -1 "$dir/said")
	return $rc
}
passes() { # NAME COMMAND...
	if "${@:2}"; then ok "$1"; else not_ok "$1: $(cat "$dir/said")"; fi
}
# told NAME CODE SENTENCE COMMAND...
told() {
	local rc
	"${@:4}"
	rc=$?
	if [ $rc -eq "$2" ] && grep -qE -- "$3" "$dir/said"; then
		ok "$1"
	else
		not_ok "$1: $rc, $(head -3 "$dir/said")"
	fi
}
# events N STREAM...: N of them to each, each in a transaction of its own.
events() {
	local n=$1 s
	shift
	for s in "$@"; do
		for _ in $(seq "$n"); do
			echo "insert into audit.event (stream, actor, login, action, code,
				incident, purpose, fields, words_hash, detail) select '$s',
				case when random() < 0.8 then 'zoë' end, 'tollwatch_console',
				'disclose', 'ok', (random() * 1000)::bigint, 'triage',
				E'caller,\\x01callee', sha256(random()::text::bytea),
				case when random() < 0.7 then E'£ 漢\\U0001F4DE ' || random() end;"
		done
	done >"$dir/events.sql"
	"$pg_bin/psql" -X -q -h "$pg_sock" -U postgres -d tollwatch \
		-c 'set synchronous_commit = off' -f "$dir/events.sql" || not_ok "events"
}

# ---- what is right ----
told "no checkpoint is not all right" 3 "there is no checkpoint" verify
same "its age is not known" "" "$(sql tollwatch_alerter 'select alerter.audit_age_s()')"
events 60 access dpo
passes "a checkpoint" make_one
passes "another, nothing having happened" make_one
events 40 access dpo alerter
passes "and a third" make_one
check "the alerter sees its age" [ "$(sql tollwatch_alerter 'select alerter.audit_age_s()')" -lt 60 ]
passes "verify: proven" verify
check "verify: all of it" said "all right: [0-9]* events proven$" "$dir/said"
events 15 access
passes "verify: 15 more" verify
check "and they are unproven" said "proven; 15 after the last checkpoint are unproven$" "$dir/said"
same "C and SQL seal alike" 0 "$(root "select count(*) from audit.link l join audit.event e
	on e.id = l.event where sha256(audit.encode(l.prev_hash, l.seq, e)) <> l.row_hash")"
verify --dsn "$as_checkpoint" --json
same "verify --json" "true 15 3 2" \
	"$(jq -r '"\(.ok) \(.unproven) \(.checkpoints) \(.places)"' "$dir/said")"
passes "Debian's minisign verifies ours" minisign -q -Vm "$a/checkpoint-0000000003.txt" -p "$key.pub"
told "a superuser's connection does as well" 0 "all right" verify --dsn "$dsn"

# ---- 1,000 changes ----
# In a copy of the database, whose site and catalogue are those of the original,
# so that it is the rows alone that tell.
root "copy (select s.id::text, (extract(epoch from clock_timestamp()) * 1000000)::bigint,
	audit.fingerprint(), (select encode(sha256(convert_to(string_agg(
	pg_get_functiondef(p.oid), '' order by p.oid::regprocedure::text collate \"C\"), 'UTF8')),
	'hex') from pg_proc p where p.pronamespace = 'audit'::regnamespace and p.proname in
	('fingerprint', 'catalogue', 'acl', 'sorted', 'heads')) from audit.site s)
	to stdout (format binary)" >"$dir/site"
"$pg_bin/psql" -X -q -h "$pg_sock" -U postgres -d postgres \
	-c 'create database work template tollwatch' || not_ok "a copy"
work() {
	"$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$pg_sock" -U postgres -d work "$@"
}
work -f - >"$dir/o" 2>&1 <<'END' || not_ok "the copy: $(cat "$dir/o")"
alter event trigger audit_ddl disable;
alter event trigger audit_dropped disable;
alter table audit.event disable trigger all, alter id drop identity;
alter table audit.head disable trigger all;
alter table audit.link disable trigger all;
alter table audit.link drop constraint link_pkey;
alter table audit.link drop constraint link_event_key, drop constraint link_prev_hash_key,
	drop constraint link_row_hash_key;
create index on audit.link (stream, seq);
create index on audit.link (event);

-- Another byte where there was one.
create function public.other(p bytea) returns bytea language sql as $$
	select set_byte(p, i, (get_byte(p, i) + 1 + floor(random() * 255)::int) % 256)
	from floor(random() * length(p)) r, lateral (select r::int as i) x;
$$;
create function public.other(p text) returns text language sql as $$
	select overlay(p placing case when substr(p, i, 1) = 'q' then 'Q' else 'q' end from i for 1)
	from (select 1 + floor(random() * length(p))::int as i) x;
$$;
create function public.reseal(p_stream text) returns void language plpgsql as $$
declare
	x record;
	h bytea := audit.genesis(p_stream);
	sealed bytea;
	n bigint := 0;
begin
	for x in select l.ctid, e as event from audit.link l join audit.event e on e.id = l.event
		where l.stream = p_stream order by l.seq
	loop
		n := n + 1;
		sealed := sha256(audit.encode(h, n, x.event));
		update audit.link l set seq = n, prev_hash = h, row_hash = sealed where l.ctid = x.ctid;
		h := sealed;
	end loop;
	update audit.head o set seq = n, hash = h where o.stream = p_stream;
end
$$;
-- The p-th change; what it was.
create function public.change(p int, p_signed bigint) returns text language plpgsql as $$
declare
	col text;
	l audit.link;
	m audit.link;
begin
	select * into l from audit.link order by random() limit 1;
	select * into m from audit.link x where x.event <> l.event order by random() limit 1;
	case p % 12
	when 0, 1, 2 then
		select c into col from jsonb_each_text((select to_jsonb(e) from audit.event e
			where e.id = l.event)) x(c, v)
			where c in ('stream', 'actor', 'login', 'action', 'code', 'purpose',
				'fields', 'detail') and v <> '' order by random() limit 1;
		execute format('update audit.event set %1$I = public.other(%1$I) where id = $1', col)
			using l.event;
	when 3 then
		col := (array['incident', 'id', 'ticket'])[1 + floor(random() * 3)::int];
		if col = 'id' then
			update audit.event set id = id + 100000 where id = l.event;
		else
			execute format('update audit.event set %1$I = coalesce(%1$I, 0) # (1::bigint << %2$s)
				where id = $1', col, floor(random() * 63)::int) using l.event;
		end if;
	when 4 then
		col := 'at';
		update audit.event set at = at + interval '1 microsecond' * (1 << floor(random() * 30)::int)
			where id = l.event;
	when 5 then
		col := 'row_hash';
		update audit.link x set row_hash = public.other(x.row_hash) where x.event = l.event;
	when 6 then
		col := 'prev_hash';
		update audit.link x set prev_hash = public.other(x.prev_hash) where x.event = l.event;
	when 7 then
		col := 'deleted ' || (array['event', 'link', 'both'])[1 + p / 12 % 3];
		if col <> 'deleted link' then delete from audit.event where id = l.event; end if;
		if col <> 'deleted event' then delete from audit.link x where x.event = l.event; end if;
	when 8 then
		col := 'swapped events';
		update audit.link x set event = case when x.event = l.event then m.event else l.event end
			where x.event in (l.event, m.event);
	when 9 then
		col := 'swapped places';
		update audit.link x set
			stream = case when x.event = l.event then m.stream else l.stream end,
			seq = case when x.event = l.event then m.seq else l.seq end
			where x.event in (l.event, m.event);
	when 10 then
		-- cut at a random place that was signed, with everything made to fit
		col := 'cut, head rewound';
		select * into l from audit.link x where x.stream = 'access' and x.seq < p_signed
			order by random() limit 1;
		delete from audit.event e using audit.link x where x.event = e.id
			and x.stream = l.stream and x.seq > l.seq;
		delete from audit.link x where x.stream = l.stream and x.seq > l.seq;
		update audit.head h set seq = l.seq, hash = l.row_hash where h.stream = l.stream;
	when 11 then
		case p / 12 % 4
		when 0 then
			col := 'head hash';
			update audit.head h set hash = public.other(h.hash) where h.stream = l.stream;
		when 1 then
			col := 'head seq';
			update audit.head h set seq = h.seq + (random() < 0.5)::int * 2 - 1 where h.stream = l.stream;
		when 2 then
			col := 'cut, head as it was';
			delete from audit.event e using audit.link x where x.event = e.id
				and x.stream = l.stream and x.seq >= l.seq;
			delete from audit.link x where x.stream = l.stream and x.seq >= l.seq;
		else
			col := 'words_hash';
			select e.id into l.event from audit.event e where e.words_hash is not null
				order by random() limit 1;
			update audit.event set words_hash = public.other(words_hash) where id = l.event;
		end case;
	end case;
	return p || ' ' || col || ' ' || coalesce(l.stream, '') || ' ' || coalesce(l.seq, 0);
end
$$;
END
signed=$(sed -n 's/^stream access \([0-9]*\) .*/\1/p' "$a/checkpoint-0000000003.txt")
rows="select l.stream, l.seq, l.event, l.prev_hash, l.row_hash, e.id, e.stream, e.at, e.actor, e.login, e.action, e.code, e.incident, e.ticket, e.authority, e.subject, e.purpose, e.fields, e.words_hash, e.detail from audit.link l full join audit.event e on e.id = l.event order by coalesce(l.stream, e.stream) collate \"C\", l.seq, e.id"
heads="select stream, seq, hash from audit.head order by stream collate \"C\""
made="select n, sha256 from audit.checkpoint order by n"
# copies NAME: psql lines that write what a snapshot would be.
copies() {
	echo "\\copy ($heads) to '$dir/m/$1.1' (format binary)"
	echo "\\copy ($made) to '$dir/m/$1.2' (format binary)"
	echo "\\copy ($rows) to '$dir/m/$1.3' (format binary)"
}
from_rows() { # NAME
	cat "$dir/site" "$dir/m/$1.1" "$dir/m/$1.2" "$dir/m/$1.3" >"$dir/m/rows"
	verify --rows "$dir/m/rows"
}
mkdir "$dir/m"
copies as-it-was | work
told "unchanged rows pass" 0 "15 after the last checkpoint are unproven" from_rows as-it-was
changes=${CHANGES:-1000}
seed=${SEED:-$RANDOM}
{
	echo "select setseed(0.$seed) \\g /dev/null"
	for i in $(seq "$changes"); do
		echo "begin; select public.change($i, $signed);"
		copies "$i"
		echo "rollback;"
	done
} | work >"$dir/changes" 2>"$dir/o" || {
	not_ok "changes: $(head -1 "$dir/o")"
	finish
}
same "$changes changes are made" "$changes" "$(wc -l <"$dir/changes")"
missed=0
for i in $(seq "$changes"); do
	from_rows "$i"
	[ $? -eq 3 ] || {
		missed=$((missed + 1))
		echo "# seed $seed: not found: $(sed -n "${i}p" "$dir/changes")"
	}
done
same "A25: all of $changes changes, deletions, swaps and cuts are found" 0 $missed

# ---- made anew ----
# anew NAME SQL: by a superuser who seals all of it again.
anew() {
	{
		echo "begin; $2 select public.reseal(s) from unnest(array['access', 'dpo', 'alerter', 'config']) s;"
		copies "$1"
		echo "rollback;"
	} | work >/dev/null
}
pick="(select event from audit.link where stream = 'access' and seq ="
anew same "select 1;"
told "A25: sealing it again as it is changes nothing" 0 "15 after" from_rows same
anew early "update audit.event set actor = 'eve' where id = $pick 3);"
told "A25: a chain made anew" 3 "stream access: event [0-9]* is not the one of checkpoint 1" from_rows early
anew last "update audit.event set actor = 'eve' where id = $pick $signed);"
told "A25: up to the last that was signed" 3 "event $signed is not the one of checkpoint 3" from_rows last
anew gone "delete from audit.event where id = $pick 3); delete from audit.link where stream = 'access' and seq = 3;"
told "A25: one taken out, and all sealed again" 3 "is not the one of checkpoint" from_rows gone
anew late "update audit.event set actor = 'eve' where id = $pick $((signed + 1)));"
told "control: what comes after is unproven, and said to be" 0 "15 after the last checkpoint are unproven" from_rows late
anew cut "delete from audit.event where id in (select event from audit.link where stream = 'access' and seq > $((signed + 5)));
	delete from audit.link where stream = 'access' and seq > $((signed + 5));"
told "control: so is a cut there" 0 "; 5 after the last checkpoint are unproven" from_rows cut
head -c 3000 "$dir/m/rows" >"$dir/m/short"
told "rows that end too early are not all right" 1 "end too early" verify --rows "$dir/m/short"

# ---- in place ----
passes "a checkpoint of all" make_one
root "alter event trigger audit_ddl disable; alter event trigger audit_dropped disable;
	alter table audit.event disable trigger event_append_only" || not_ok "disable"
before=$(root "select detail from audit.event where id = $pick 7)")
root "update audit.event set detail = 'changed' where id = $pick 7)"
told "A25: a row changed in place" 3 "stream access: link 7 .* was changed after it was sealed" verify
told "A25: and the trigger that was disabled for it" 3 "changed since checkpoint 4" verify
root "update audit.event set detail = nullif('$before', '') where id = $pick 7);
	alter table audit.event enable always trigger event_append_only;
	alter event trigger audit_ddl enable always; alter event trigger audit_dropped enable always"
told "control: put back" 0 "all right" verify

# ---- the catalogue ----
manipulate() { # NAME SQL
	root "$2" >/dev/null || not_ok "$1: $2"
	told "A25: $1" 3 "${3:-roles, rights or definitions in the database changed}" verify
	passes "and it is in the next checkpoint" make_one
	told "which says since when" 0 "^note: roles, rights or definitions" verify
}
manipulate "a disabled trigger" "alter table audit.head disable trigger head_stays"
manipulate "one more column for the NOC" "grant select (name) on core.person to tollwatch_noc"
manipulate "BYPASSRLS" "alter role tollwatch_noc bypassrls"
manipulate "membership" "grant tollwatch_core to tollwatch_noc"
manipulate "a swapped view" "do \$\$ begin execute format('create or replace view noc.oncall_now as
	select * from (%s) q limit 0', rtrim(pg_get_viewdef('noc.oncall_now'::regclass), ';')); end \$\$"
manipulate "a swapped function" "create or replace function audit.line(p text) returns text
	language sql immutable set search_path = pg_catalog, pg_temp as 'select p'"
manipulate "a new superuser" "create role eve superuser login"
manipulate "the fingerprint itself, made to say what it said" "create or replace function
	audit.fingerprint() returns text language sql stable security definer
	set search_path = pg_catalog, pg_temp as \$\$ select '$(root 'select audit.fingerprint()')'::text \$\$" \
	"the functions that make the fingerprint changed"
same "as many checkpoints as were made" 12 "$(ls "$a"/*.txt | wc -l)"
passes "a reading is kept" verify --dsn "$as_checkpoint" --save "$dir/kept"
passes "and passes without the database" verify --rows "$dir/kept"

# ---- S07: the key ----
told "one place is refused" 2 "usage: " \
	eval '"$bin/tollwatch" audit checkpoint --key "$key.key" --to "$a" >"$dir/said" 2>&1; (exit $?)'
told "two names of one place as well" 2 "are one place" \
	eval '"$bin/tollwatch" audit checkpoint --key "$key.key" --to "$a" --to "$a/." --dsn "$as_checkpoint" >"$dir/said" 2>&1; (exit $?)'
for mode in 640 604; do
	chmod $mode "$key.key"
	told "S07: a key of mode $mode" 1 "others can read it" make_one
done
chmod 600 "$key.key"
[ "$(id -u)" != 0 ] || {
	chown postgres "$key.key"
	told "S07: a key of another user's" 1 "belongs to another user" make_one
	chown root "$key.key"
}
same "S07: nothing was made" 12 "$(ls "$a"/*.txt | wc -l)"
told "a key is never overwritten" 1 "File exists" \
	eval '"$bin/tollwatch" audit key --out "$dir/keys" >"$dir/said" 2>&1; (exit $?)'
check "the secret key is its owner's alone" [ "$(stat -c %a "$key.key")" = 600 ]

# ---- S08: the files ----
name() { printf 'checkpoint-%010d.txt' "$1"; }
cp -a "$a" "$dir/a.good"
cp -a "$b" "$dir/b.good"
again() { # both places as they were
	rm -rf "$a" "$b"
	cp -a "$dir/a.good" "$a"
	cp -a "$dir/b.good" "$b"
}
sign() { # KEY FILE: as minisign does, with the comment the text calls for
	minisign -S -s "$1" -m "$2" -t "$(awk '/^origin/ { o = $2 } /^n / { n = $2 } /^at/ { t = $2 }
		END { print "tollwatch checkpoint " n " of " o " at " t }' "$2")" >/dev/null </dev/null
}
forge() { # N SED: in both places, signed with the key itself
	local p
	for p in "$a" "$b"; do
		sed -i "$2" "$p/$(name "$1")"
		sign "$key.key" "$p/$(name "$1")"
	done
}
spoil() { # NAME SENTENCE [SENTENCE-OF-CHECKPOINT]: after the files were spoiled
	local here
	told "S08: $1" 3 "$2" verify
	here=$(find "$a" "$b" | sort | md5sum)
	[ -z "${3:-}" ] || {
		told "S08: and no checkpoint is made" 3 "$3" make_one
		same "nor anything written" "$here" "$(find "$a" "$b" | sort | md5sum)"
	}
	again
}
rm "$a/$(name 12)"*
spoil "the last deleted, in one place" "a/$(name 12): is not there" "a: checkpoint 12 is missing"
rm "$a/$(name 12)"* "$b/$(name 12)"*
spoil "the last deleted, everywhere" "$(name 12): is not there" "checkpoint 12 was made and is in no place"
rm "$a/$(name 5)"* "$b/$(name 5)"*
spoil "one missing" "a/$(name 5): is not there" "a: checkpoint 5 is missing"
rm "$b/$(name 5)"*
spoil "one missing in one place" "b/$(name 5): is not there" "b: checkpoint 5 is missing"
rm "$a"/* "$b"/*
spoil "all deleted" "there is no checkpoint" "checkpoint 12 was made and is in no place; the last there is 0"
rm "$a/$(name 7).minisig"
spoil "a signature deleted" "a/$(name 7).minisig: is not there"
rm "$b/$(name 12).minisig"
spoil "the last one's" "b/$(name 12).minisig: is not there" "b/$(name 12).minisig: is not there"
for p in "$a" "$b"; do
	for s in "" .minisig; do
		mv "$p/$(name 6)$s" "$p/x"
		mv "$p/$(name 7)$s" "$p/$(name 6)$s"
		mv "$p/x" "$p/$(name 7)$s"
	done
done
spoil "two in each other's place" "a/$(name 6): is number 7"
sed -i 's/^stream access 1/stream access 2/' "$a/$(name 6)"
spoil "a text changed" "a/$(name 6): the signature is not of this text"
sed -i 's/^n 6$/n 6 /' "$a/$(name 6)"
spoil "a blank added" "a/$(name 6): the signature is not of this text"
forge 6 's/^n 6$/n 6 /'
spoil "a blank added and signed" "a/$(name 6): not a checkpoint"
minisign -S -s "$key.key" -m "$a/$(name 6)" -t "tollwatch checkpoint 6" >/dev/null </dev/null
spoil "another trusted comment" "a/$(name 6): the trusted comment is of another text"
"$bin/tollwatch" audit key --out "$dir/other" >/dev/null
for p in "$a" "$b"; do sign "$dir/other/checkpoint.key" "$p/$(name 12)"; done
spoil "signed by another key" "a/$(name 12): signed by key" "a/$(name 12): signed by key"
sed -i '2s/.*/RWRTY0IyAAAA/' "$a/$(name 12).minisig"
spoil "not a signature" "a/$(name 12): not a signature" "a/$(name 12): not a signature"
forge 12 's/^origin ......../origin 00000000/'
spoil "one of another deployment" "checkpoint 12 is of another deployment" "is another than the database was told of"
forge 12 's/^at 20../at 2019/'
spoil "time going back" "checkpoint 12 time went back from"
forge 11 '/^stream access/s/ [0-9]* / 1 /'
spoil "a stream going back" "checkpoint 11 stream access went back"
forge 12 '/^stream access/d'
spoil "a stream gone" "checkpoint 12 stream access had .* events and is gone"
forge 4 '/^stream dpo/s/.$/0/;/^stream dpo/s/..$/00/'
spoil "a head that never was" "stream dpo: event 100 is not the one of checkpoint 4"
sed -i "s/^catalogue ./catalogue 0/" "$a/$(name 12)"
sign "$key.key" "$a/$(name 12)"
spoil "two texts of one number" "b: checkpoint 12 is another than in" "is another than (elsewhere|the database was told of)"

# Of one that the database does not know; next PLACE SED: a 13th, signed.
next() {
	sed "s/^n 12$/n 13/;s/^previous .*/previous $(sha256sum <"$1/$(name 12)" | cut -d' ' -f1)/;$2" \
		"$1/$(name 12)" >"$1/$(name 13)"
	sign "$key.key" "$1/$(name 13)"
}
later() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
for p in "$a" "$b"; do next "$p" "s/^at .*/at $(later '20 min')/"; done
spoil "a gap of twenty minutes" "no checkpoint was made between number 12 at .* and number 13 at" \
	"checkpoint 14: time went back from"
for p in "$a" "$b"; do next "$p" "s/^at .*/at $(later '14 min')/"; done
told "control: of fourteen it is none" 0 "all right" verify
again
next "$a" ""
told "one that is not in all places yet" 0 "note: checkpoint 13 is not in all places yet" verify
told "is finished by the next run" 0 "b: checkpoint 13 was not finished; done now" make_one
passes "and both are all right" verify
same "with as many in each" "14 14" "$(ls "$a"/*.txt | wc -l) $(ls "$b"/*.txt | wc -l)"
again
told "what the database knows of is missed" 3 "$(name 14): is not there" verify
told "also by the next run" 3 "checkpoint 14 was made and is in no place; the last there is 12" make_one

# ---- a database set back, and another one ----
"$pg_bin/psql" -X -q -h "$pg_sock" -U postgres -d postgres -c 'create database early template work'
early="host=$pg_sock user=postgres dbname=early"
told "a database from before does not verify" 3 "was there at checkpoint [0-9]* and is gone" verify --dsn "$early"
same "and is not signed" "3 yes" "$("$bin/tollwatch" audit checkpoint --key "$key.key" --to "$a" --to "$b" \
	--dsn "$early" >"$dir/said" 2>&1; echo "$? $(grep -q 'went back from\|is no longer in the database' "$dir/said" && echo yes)")"

finish
