alter table services
  drop constraint services_archival_recorded,
  drop constraint services_publication_recorded,
  drop constraint services_published_has_content,
  drop constraint services_content_url_form,
  drop constraint services_summary_length,
  drop constraint services_title_length,
  drop constraint services_slug_form;
