create table content_scans (
  id uuid not null default gen_random_uuid(),
  content_id uuid not null,
  scanner text not null,
  started_at timestamptz(3) not null default now(),
  started_by text not null,
  finished_at timestamptz(3),
  finished_by text,
  verdict text,
  threat text,
  constraint content_scans_pkey primary key (id),
  -- No cascade: the evidence of a scan outlives nothing less than itself.
  constraint content_scans_content_fkey foreign key (content_id) references content (id),
  constraint content_scans_scanner_length check (char_length(scanner) between 1 and 100),
  constraint content_scans_verdict_known check (verdict in ('clean', 'infected', 'failed')),
  constraint content_scans_finished_whole
    check ((finished_at is null) = (verdict is null) and (finished_at is null) = (finished_by is null)),
  constraint content_scans_threat_named
    check ((verdict is not distinct from 'infected') = (threat is not null) and char_length(threat) between 1 and 200)
);

create unique index content_scans_one_open on content_scans (content_id) where finished_at is null;

create index content_scans_by_content on content_scans (content_id, started_at desc, id desc);
