-- Not valid: new rows are checked from now on, and the table is locked for an instant only. 000008 checks the old ones.
alter table content
  add constraint content_blob_url_form
    check (blob_url ~ '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/[^[:space:]?#@\\]+$'
      and char_length(blob_url) <= 2048) not valid,
  add constraint content_sha256_form check (sha256 ~ '^[0-9a-f]{64}$') not valid,
  add constraint content_mime_type_form
    check (mime_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$' and char_length(mime_type) <= 127)
    not valid,
  -- 5 TiB: the largest object that common blob stores keep.
  add constraint content_size_range check (size_bytes between 0 and 5497558138880) not valid;
