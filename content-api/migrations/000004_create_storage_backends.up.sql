create table storage_backends (
  id uuid not null default gen_random_uuid(),
  name text not null,
  base_url text not null,
  priority smallint not null,
  active boolean not null default true,
  health text not null default 'healthy',
  health_note text,
  health_checked_at timestamptz(3),
  health_checked_by text,
  created_at timestamptz(3) not null default now(),
  constraint storage_backends_pkey primary key (id),
  constraint storage_backends_name_unique unique (name),
  constraint storage_backends_name_form check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(name) <= 80),
  constraint storage_backends_base_url_form
    check (base_url ~ '^https://[^[:space:]?#@\\]+/$' and char_length(base_url) <= 500),
  constraint storage_backends_priority_range check (priority between 1 and 1000),
  constraint storage_backends_health_known check (health in ('healthy', 'degraded', 'unavailable')),
  constraint storage_backends_health_note_length check (char_length(health_note) between 1 and 500),
  constraint storage_backends_check_recorded check ((health_checked_at is null) = (health_checked_by is null))
);

-- Among the active ones the order of preference is never a matter of chance.
create unique index storage_backends_active_priority on storage_backends (priority) where active;

insert into storage_backends (name, base_url, priority) values
  ('primary', 'https://primary.blob.example/', 1),
  ('secondary', 'https://secondary.blob.example/', 2);
