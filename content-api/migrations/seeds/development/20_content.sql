-- A backend's id differs from database to database, so this is SQL and no file of rows.
insert into content (blob_url, sha256, mime_type, size_bytes, backend_id, registered_by)
select base_url || 'welcome.pdf', repeat('0123456789abcdef', 4), 'application/pdf', 4096, id, 'seed'
from storage_backends
where name = 'archive'
on conflict (blob_url) do nothing;
