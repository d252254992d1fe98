create table content (
  id uuid not null default gen_random_uuid(),
  blob_url text not null,
  sha256 text not null,
  mime_type text not null,
  size_bytes bigint not null,
  scan_status text not null default 'pending',
  registered_at timestamptz(3) not null default now(),
  registered_by text not null,
  constraint content_pkey primary key (id),
  constraint content_blob_url_unique unique (blob_url),
  constraint content_scan_status_known check (scan_status in ('pending', 'scanning', 'clean', 'infected'))
);
