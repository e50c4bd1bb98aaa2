/** The second version of the database: what landing needs. */
export const LANDING_SCHEMA = `
alter table tasks add column landing_id text;
alter table runs add column landing_json text;

create table landings (
  id text primary key,
  version integer not null,
  run_id text not null references runs (id) on delete cascade,
  state text not null check (state in ('moving', 'landed')),
  record_json text not null,
  created_ms integer not null,
  ended_ms integer
) strict;
create index landings_by_run on landings (run_id, created_ms);
create index landings_moving on landings (run_id) where state = 'moving';

create table conflicts (
  id text primary key,
  version integer not null,
  run_id text not null references runs (id) on delete cascade,
  task text not null,
  state text not null check (state in ('open', 'settled', 'aborted')),
  record_json text not null,
  choices_json text not null,
  workspace_id text,
  landing_id text,
  created_ms integer not null,
  ended_ms integer
) strict;
create index conflicts_by_run on conflicts (run_id, created_ms);
create index conflicts_open on conflicts (created_ms) where state = 'open';

create table verifications (
  repository_id text not null references repositories (id) on delete cascade,
  tree text not null,
  command_key text not null,
  result_json text not null,
  created_ms integer not null,
  primary key (repository_id, tree, command_key)
) strict, without rowid;

create table acceptances (
  id text primary key,
  version integer not null,
  run_id text not null references runs (id) on delete cascade,
  state text not null check (state in ('writing', 'accepted', 'undoing', 'undone')),
  record_json text not null,
  created_ms integer not null,
  ended_ms integer
) strict;
create index acceptances_by_run on acceptances (run_id, created_ms);
create index acceptances_open on acceptances (run_id) where state in ('writing', 'undoing');
`;
