create function enforce_publishing_workflow() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'draft' then
      raise exception 'a service begins as a draft, not as %', new.status
        using errcode = 'check_violation', constraint = 'services_begin_as_draft', table = tg_table_name;
    end if;
    return new;
  end if;

  if new.status <> old.status and (old.status, new.status) not in (('draft', 'published'), ('published', 'archived')) then
    raise exception 'a service cannot go from % to %', old.status, new.status
      using errcode = 'check_violation', constraint = 'services_status_transition', table = tg_table_name;
  end if;

  if (old.published_at is not null and (new.published_at, new.published_by) is distinct from (old.published_at, old.published_by))
    or (old.archived_at is not null and (new.archived_at, new.archived_by) is distinct from (old.archived_at, old.archived_by))
  then
    raise exception 'who published or archived a service, and when, is never rewritten'
      using errcode = 'check_violation', constraint = 'services_record_is_final', table = tg_table_name;
  end if;

  -- Its category may still change, so that a category with archived services can be deleted.
  if old.status = 'archived'
    and (new.slug, new.title, new.summary, new.content_url) is distinct from (old.slug, old.title, old.summary, old.content_url)
  then
    raise exception 'an archived service is never changed'
      using errcode = 'check_violation', constraint = 'services_archived_is_final', table = tg_table_name;
  end if;

  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end
$$;

create trigger services_publishing_workflow
  before insert or update on services
  for each row execute function enforce_publishing_workflow();
