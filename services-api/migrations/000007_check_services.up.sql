-- Not valid: new rows are checked from now on, and the table is locked for an instant only. 000008 checks the old ones.
alter table services
  add constraint services_slug_form
    check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 80) not valid,
  add constraint services_title_length check (char_length(title) between 1 and 200) not valid,
  add constraint services_summary_length check (char_length(summary) <= 2000) not valid,
  add constraint services_content_url_form
    check (content_url ~ '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?/[^[:space:]?#@\\]+$'
      and char_length(content_url) <= 2048) not valid,
  add constraint services_published_has_content check (status = 'draft' or content_url is not null) not valid,
  add constraint services_publication_recorded
    check ((status = 'draft') = (published_at is null) and (status = 'draft') = (published_by is null)) not valid,
  add constraint services_archival_recorded
    check ((status = 'archived') = (archived_at is not null) and (status = 'archived') = (archived_by is not null))
    not valid;
