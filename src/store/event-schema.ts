/** The fourth version of the database: what background work and chains of events need. */
export const EVENT_SCHEMA = `
alter table events add column repository_id text;
alter table events add column cause_json text;
alter table events add column key text;
create unique index events_by_key on events (key) where key is not null;
create index events_by_time on events (at_ms);

alter table runs add column cause_json text;
alter table runs add column chain text;
alter table runs add column asker text;
alter table runs add column owner_run text;
alter table runs add column owner_task text;
update runs set owner_run = parent_run, owner_task = parent_task;
create index runs_by_chain on runs (chain) where chain is not null;

create table inbox (
  id text primary key,
  key text not null unique,
  repository_id text references repositories (id) on delete cascade,
  addressee text not null,
  kind text not null,
  run_id text,
  task text,
  record_json text not null,
  state text not null check (state in ('unread', 'read')),
  created_ms integer not null,
  read_ms integer
) strict;
create index inbox_unread on inbox (addressee, created_ms) where state = 'unread';
create index inbox_by_run on inbox (run_id) where run_id is not null;
create index inbox_by_time on inbox (created_ms);

create index messages_waiting on messages (run_id, task) where state = 'waiting';

create table outbox (
  id text primary key,
  version integer not null,
  key text not null unique,
  repository_id text references repositories (id) on delete cascade,
  target text not null,
  record_json text not null,
  state text not null check (state in ('waiting', 'sent', 'dead')),
  attempts integer not null,
  not_before_ms integer not null,
  created_ms integer not null,
  ended_ms integer
) strict;
create index outbox_waiting on outbox (not_before_ms) where state = 'waiting';

create table trigger_sets (
  repository_id text primary key references repositories (id) on delete cascade,
  version integer not null,
  root text not null,
  content text not null,
  content_hash text not null,
  chains_json text not null,
  state text not null check (state in ('enabled', 'disabled')),
  enabled_ms integer not null
) strict, without rowid;

create table triggers (
  id text primary key,
  version integer not null,
  repository_id text not null references repositories (id) on delete cascade,
  name text not null,
  spec_json text not null,
  state text not null check (state in ('active', 'paused', 'removed')),
  flow_json text not null,
  due_ms integer,
  created_ms integer not null,
  unique (repository_id, name)
) strict;

create table firings (
  id text primary key,
  version integer not null,
  trigger_id text not null references triggers (id) on delete cascade,
  repository_id text not null references repositories (id) on delete cascade,
  state text not null,
  priority integer not null,
  group_name text,
  cause_json text not null,
  events_json text not null,
  seq integer,
  notice_id text,
  run_id text,
  reason_json text,
  created_ms integer not null,
  ended_ms integer
) strict;
create index firings_open on firings (repository_id, created_ms) where ended_ms is null;
create index firings_by_trigger on firings (trigger_id, created_ms);
create index firings_by_seq on firings (seq) where ended_ms is null;
create index firings_by_run on firings (run_id) where run_id is not null;

create table trigger_keys (
  trigger_id text not null references triggers (id) on delete cascade,
  key text not null,
  expires_ms integer not null,
  primary key (trigger_id, key)
) strict, without rowid;
create index trigger_keys_by_time on trigger_keys (expires_ms);

create table dead_letters (
  id text primary key,
  version integer not null,
  key text not null unique,
  repository_id text references repositories (id) on delete cascade,
  kind text not null,
  count integer not null,
  record_json text not null,
  seq integer,
  state text not null check (state in ('open', 'replayed')),
  created_ms integer not null,
  updated_ms integer not null
) strict;
create index dead_letters_by_seq on dead_letters (seq) where state = 'open';
create index dead_letters_open on dead_letters (created_ms) where state = 'open';

create table cursors (
  name text primary key,
  position integer not null,
  data_json text
) strict, without rowid;

create table known_states (
  repository_id text not null references repositories (id) on delete cascade,
  subject text not null,
  state text not null,
  primary key (repository_id, subject)
) strict, without rowid;

create table own_changes (
  repository_id text not null references repositories (id) on delete cascade,
  subject text not null,
  state text not null,
  run_id text not null,
  cause_json text,
  created_ms integer not null,
  primary key (repository_id, subject, state)
) strict, without rowid;
create index own_changes_by_time on own_changes (created_ms);

create table timed_events (
  id text primary key,
  due_ms integer not null,
  event_json text not null
) strict;
create index timed_events_due on timed_events (due_ms);

alter table tasks add column restarts_json text;

create table notices_next (
  id text primary key,
  version integer not null,
  repository_id text references repositories (id) on delete cascade,
  run_id text references runs (id) on delete cascade,
  task text,
  kind text not null check (kind in ('permission', 'approval', 'triggers', 'trouble')),
  state text not null check (state in ('open', 'approved', 'denied', 'withdrawn', 'expired')),
  record_json text not null,
  created_ms integer not null,
  expires_ms integer,
  ended_ms integer
) strict;
insert into notices_next (id, version, repository_id, run_id, task, kind, state, record_json, created_ms, ended_ms)
  select id, version, repository_id, run_id, task, kind, state, record_json, created_ms, ended_ms
  from notices order by rowid;
drop table notices;
alter table notices_next rename to notices;
create index notices_open on notices (created_ms) where state = 'open';
create index notices_by_run on notices (run_id, created_ms);
`;
