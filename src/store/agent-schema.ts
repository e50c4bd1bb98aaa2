/** The third version of the database: what agents need. */
export const AGENT_SCHEMA = `
create table sessions (
  run_id text not null,
  task text not null,
  attempt integer not null,
  version integer not null,
  kind text not null,
  conversation text,
  state text not null check (state in ('open', 'closed')),
  record_json text not null,
  created_ms integer not null,
  ended_ms integer,
  primary key (run_id, task, attempt),
  foreign key (run_id, task, attempt) references attempts (run_id, task, number) on delete cascade
) strict, without rowid;
create index sessions_by_conversation on sessions (conversation) where conversation is not null;

create table messages (
  id text primary key,
  run_id text not null,
  task text not null,
  sender_json text not null,
  timing text not null check (timing in ('now', 'next', 'later')),
  body text not null,
  state text not null check (state in ('waiting', 'delivered', 'undelivered')),
  created_ms integer not null,
  ended_ms integer,
  foreign key (run_id, task) references tasks (run_id, name) on delete cascade
) strict;
create index messages_by_task on messages (run_id, task, created_ms);

create table notices (
  id text primary key,
  version integer not null,
  repository_id text not null references repositories (id) on delete cascade,
  run_id text references runs (id) on delete cascade,
  task text,
  kind text not null,
  state text not null check (state in ('open', 'approved', 'denied', 'withdrawn')),
  record_json text not null,
  created_ms integer not null,
  ended_ms integer
) strict;
create index notices_open on notices (created_ms) where state = 'open';
create index notices_by_run on notices (run_id, created_ms);

create table leases (
  id text primary key,
  version integer not null,
  repository_id text not null references repositories (id) on delete cascade,
  run_id text not null references runs (id) on delete cascade,
  task text not null,
  token integer not null,
  record_json text not null,
  state text not null check (state in ('held', 'released', 'expired')),
  created_ms integer not null,
  expires_ms integer not null,
  ended_ms integer,
  unique (repository_id, token)
) strict;
create index leases_held on leases (repository_id) where state = 'held';
create index leases_by_task on leases (run_id, task);

create table lease_tokens (
  repository_id text primary key references repositories (id) on delete cascade,
  newest integer not null
) strict, without rowid;

create table agent_pins (
  repository_id text not null references repositories (id) on delete cascade,
  name text not null,
  content_hash text not null,
  wants_json text not null,
  created_ms integer not null,
  primary key (repository_id, name)
) strict, without rowid;
`;
