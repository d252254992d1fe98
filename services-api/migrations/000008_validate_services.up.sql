-- Reads the table under a lock that lets reads and writes go on.
alter table services
  validate constraint services_slug_form,
  validate constraint services_title_length,
  validate constraint services_summary_length,
  validate constraint services_content_url_form,
  validate constraint services_published_has_content,
  validate constraint services_publication_recorded,
  validate constraint services_archival_recorded;
