-- Reads the table under a lock that lets reads and writes go on.
alter table content
  validate constraint content_backend_there,
  validate constraint content_backend_fkey,
  validate constraint content_blob_url_form,
  validate constraint content_sha256_form,
  validate constraint content_mime_type_form,
  validate constraint content_size_range;

-- The check proves that no row has a null, so Postgres does not look again.
alter table content alter column backend_id set not null;
alter table content drop constraint content_backend_there;
