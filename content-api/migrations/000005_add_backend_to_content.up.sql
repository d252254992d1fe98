alter table content add column backend_id uuid;

-- Everything registered so far lies where its URL says; what no backend's URL begins is the first backend's.
update content
set backend_id = coalesce(
  (select id from storage_backends where starts_with(content.blob_url, base_url) order by priority limit 1),
  (select id from storage_backends order by priority limit 1)
);

alter table content
  alter column backend_id set not null,
  add constraint content_backend_fkey foreign key (backend_id) references storage_backends (id);
