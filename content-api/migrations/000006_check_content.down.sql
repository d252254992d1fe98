alter table content
  drop constraint content_size_range,
  drop constraint content_mime_type_form,
  drop constraint content_sha256_form,
  drop constraint content_blob_url_form;
