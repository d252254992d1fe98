-- Reads the table under a lock that lets reads and writes go on.
alter table content
  validate constraint content_blob_url_form,
  validate constraint content_sha256_form,
  validate constraint content_mime_type_form,
  validate constraint content_size_range;
