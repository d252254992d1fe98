alter table content add column backend_id uuid;

-- Everything registered so far lies where its URL says; what no backend's URL begins is the first backend's.
-- lockstep: allow work-under-lock: it was written before anything was served
update content
set backend_id = coalesce(
  (select id from storage_backends where starts_with(content.blob_url, base_url) order by priority limit 1),
  (select id from storage_backends order by priority limit 1)
);

-- Not valid: new rows are checked from now on, and no table is read. 000008 checks the old ones.
alter table content
  add constraint content_backend_there check (backend_id is not null) not valid,
  add constraint content_backend_fkey foreign key (backend_id) references storage_backends (id) not valid;
