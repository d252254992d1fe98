-- Reads the table under a lock that lets reads and writes go on.
alter table services
  validate constraint services_category_there,
  validate constraint services_category_fkey,
  validate constraint services_slug_form,
  validate constraint services_title_length,
  validate constraint services_summary_length,
  validate constraint services_content_url_form,
  validate constraint services_published_has_content,
  validate constraint services_publication_recorded,
  validate constraint services_archival_recorded;

-- The check proves that no row has a null, so Postgres does not look again.
alter table services alter column category_id set not null;
alter table services drop constraint services_category_there;
