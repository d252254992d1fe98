alter table services
  drop column archived_by,
  drop column archived_at,
  drop column published_by,
  drop column published_at,
  drop column version;
