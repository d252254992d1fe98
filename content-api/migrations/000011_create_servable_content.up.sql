-- What may be served: clean, and the same bytes were not found infected under another URL.
-- security_invoker: whoever reads the view needs the right to read its tables.
create view servable_content with (security_invoker = true) as
select
  content.id,
  content.blob_url,
  content.sha256,
  content.mime_type,
  content.size_bytes,
  content.scanned_at,
  content.registered_at,
  content.registered_by,
  backend.name as backend_name,
  backend.health as backend_health
from content
join storage_backends as backend on backend.id = content.backend_id
where content.scan_status = 'clean'
  and not exists (
    select from content as twin where twin.sha256 = content.sha256 and twin.scan_status = 'infected'
  );

create view content_access_daily with (security_invoker = true) as
select
  content_id,
  (accessed_at at time zone 'UTC')::date as day,
  count(*) as accesses,
  count(distinct accessed_by) as readers
from content_access_log
group by content_id, (accessed_at at time zone 'UTC')::date;
