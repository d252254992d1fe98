create table services (
  id uuid not null default gen_random_uuid(),
  slug text not null,
  title text not null,
  summary text not null default '',
  content_url text,
  status text not null default 'draft',
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  updated_at timestamptz(3) not null default now(),
  updated_by text not null,
  constraint services_pkey primary key (id),
  constraint services_slug_unique unique (slug),
  constraint services_status_known check (status in ('draft', 'published', 'archived'))
);
