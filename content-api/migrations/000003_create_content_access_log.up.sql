create table content_access_log (
  id bigint not null generated always as identity,
  content_id uuid not null,
  accessed_at timestamptz(3) not null default now(),
  accessed_by text not null,
  constraint content_access_log_pkey primary key (id),
  constraint content_access_log_content_fkey foreign key (content_id) references content (id)
);
