alter table content add column scanned_at timestamptz(3);

update content
set scanned_at = (
  select max(finished_at) from content_scans where content_id = content.id and verdict in ('clean', 'infected')
);
