-- Postgres cannot take a validation back: the constraints are made anew, as 000003 and 000007 left them.
alter table services
  alter column category_id drop not null,
  add constraint services_category_there check (category_id is not null) not valid,
  drop constraint services_category_fkey,
  add constraint services_category_fkey foreign key (category_id)
    references service_categories (id) on delete set default not valid,
  drop constraint services_archival_recorded,
  drop constraint services_publication_recorded,
  drop constraint services_published_has_content,
  drop constraint services_content_url_form,
  drop constraint services_summary_length,
  drop constraint services_title_length,
  drop constraint services_slug_form,
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
