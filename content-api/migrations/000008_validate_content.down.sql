-- Postgres cannot take a validation back: the constraints are made anew, as 000005 and 000006 left them.
alter table content
  alter column backend_id drop not null,
  add constraint content_backend_there check (backend_id is not null) not valid,
  drop constraint content_backend_fkey,
  add constraint content_backend_fkey foreign key (backend_id) references storage_backends (id) not valid,
  drop constraint content_size_range,
  drop constraint content_mime_type_form,
  drop constraint content_sha256_form,
  drop constraint content_blob_url_form,
  add constraint content_blob_url_form
    check (blob_url ~ '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/[^[:space:]?#@\\]+$'
      and char_length(blob_url) <= 2048) not valid,
  add constraint content_sha256_form check (sha256 ~ '^[0-9a-f]{64}$') not valid,
  add constraint content_mime_type_form
    check (mime_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$' and char_length(mime_type) <= 127)
    not valid,
  add constraint content_size_range check (size_bytes between 0 and 5497558138880) not valid;
