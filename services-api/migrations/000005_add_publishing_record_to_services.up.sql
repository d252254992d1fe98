alter table services
  add column version integer not null default 1,
  add column published_at timestamptz(3),
  add column published_by text,
  add column archived_at timestamptz(3),
  add column archived_by text;
