/** The first version of the database. Times are milliseconds since the epoch; columns of JSON end in `_json`. */
export const INITIAL_SCHEMA = `
create table repositories (
  id text primary key,
  common_directory text not null unique,
  root text not null,
  created_ms integer not null
) strict;

create table runs (
  id text primary key,
  version integer not null,
  request_id text not null unique,
  repository_id text not null references repositories (id),
  parent_run text,
  parent_task text,
  state text not null check (state in ('active', 'ended')),
  outcome text,
  cancel_requested integer not null,
  spec_json text not null,
  plan_json text not null,
  base_commit text not null,
  created_ms integer not null,
  ended_ms integer
) strict;
create index runs_by_time on runs (created_ms);
create index runs_active on runs (created_ms) where state = 'active';
create index runs_by_parent on runs (parent_run, parent_task) where parent_run is not null;

create table tasks (
  run_id text not null references runs (id) on delete cascade,
  name text not null,
  version integer not null,
  position integer not null,
  state text not null,
  outcome text,
  attempt integer not null,
  failures integer not null,
  cancel_json text,
  reason_json text,
  not_before_ms real,
  result_json text,
  ready_ms integer,
  ended_ms integer,
  primary key (run_id, name)
) strict, without rowid;
create index tasks_open on tasks (run_id) where state <> 'ended';

create table attempts (
  run_id text not null,
  task text not null,
  number integer not null,
  version integer not null,
  state text not null check (state in ('starting', 'running', 'exited', 'lost', 'stopped')),
  marker text not null unique,
  workspace_id text not null,
  base_commit text not null,
  boot_id text not null,
  process_json text,
  exit_json text,
  changeset_json text,
  discarded_json text,
  timings_json text not null,
  primary key (run_id, task, number),
  foreign key (run_id, task) references tasks (run_id, name) on delete cascade
) strict, without rowid;

create table workspaces (
  id text primary key,
  version integer not null,
  repository_id text not null references repositories (id),
  slot integer not null,
  state text not null check (state in ('free', 'leased')),
  holder text,
  base_commit text,
  dependencies_key text,
  setup_key text,
  used_ms integer not null,
  unique (repository_id, slot)
) strict;

create table ports (
  port integer primary key,
  workspace_id text not null references workspaces (id) on delete cascade,
  name text not null,
  unique (workspace_id, name)
) strict;

create table measurements (
  repository_id text not null references repositories (id) on delete cascade,
  subject text not null,
  value_json text not null,
  updated_ms integer not null,
  primary key (repository_id, subject)
) strict, without rowid;

create table events (
  seq integer primary key autoincrement,
  at_ms integer not null,
  type text not null,
  run_id text,
  task text,
  data_json text not null
) strict;
create index events_by_run on events (run_id, seq);
`;
