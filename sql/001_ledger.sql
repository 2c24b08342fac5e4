-- SPDX-License-Identifier: Apache-2.0
-- What has been applied.  "tollwatch db migrate" runs each file of this folder
-- once, in the order of their names, in one transaction with the row here.
--
-- Comments of columns end in [class: C; keep: HOW LONG], C one of
--   personal     a person's name, number, address or words
--   customer     about a customer, confidential, not about a person
--   operational  about this system and the people who run it
-- and a test fails without one.

create schema migration;
revoke all on schema migration from public;

create table migration.applied (
	name text primary key,
	sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
	applied_at timestamptz not null default clock_timestamp(),
	applied_by text not null default session_user
);
revoke all on migration.applied from public;

comment on table migration.applied is 'Files of sql/ that this database has had.';
comment on column migration.applied.name is 'File name [class: operational; keep: for ever]';
comment on column migration.applied.sha256 is 'Of the file as it was applied; a file never changes afterwards [class: operational; keep: for ever]';
comment on column migration.applied.applied_at is 'When [class: operational; keep: for ever]';
comment on column migration.applied.applied_by is 'Role that applied it [class: operational; keep: for ever]';
