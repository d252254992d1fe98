alter table content add column scanned_at timestamptz(3);

-- lockstep: allow work-under-lock: it was written before anything was served
update content
set scanned_at = (
  select max(finished_at) from content_scans where content_id = content.id and verdict in ('clean', 'infected')
);
