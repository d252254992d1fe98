create function enforce_content_lifecycle() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    if new.scan_status <> 'pending' then
      raise exception 'content begins as pending, not as %', new.scan_status
        using errcode = 'check_violation', constraint = 'content_begins_pending', table = tg_table_name;
    end if;
    return new;
  end if;

  -- A verdict is about these bytes. Others would be served unscanned.
  if (new.blob_url, new.sha256, new.size_bytes) is distinct from (old.blob_url, old.sha256, old.size_bytes) then
    raise exception 'the bytes of content never change; register other bytes as other content'
      using errcode = 'check_violation', constraint = 'content_bytes_are_final', table = tg_table_name;
  end if;

  if old.scan_status = 'infected' and new.scan_status <> 'infected' then
    raise exception 'infected content stays infected'
      using errcode = 'check_violation', constraint = 'content_infected_is_final', table = tg_table_name;
  end if;

  if new.scan_status <> old.scan_status and (old.scan_status, new.scan_status) not in (
    ('pending', 'scanning'), ('clean', 'scanning'),
    ('scanning', 'clean'), ('scanning', 'infected'), ('scanning', 'pending')
  ) then
    raise exception 'content cannot go from % to %', old.scan_status, new.scan_status
      using errcode = 'check_violation', constraint = 'content_scan_transition', table = tg_table_name;
  end if;
  return new;
end
$$;

create trigger content_lifecycle
  before insert or update on content
  for each row execute function enforce_content_lifecycle();

create function apply_content_scan() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    if new.finished_at is not null then
      raise exception 'a scan begins open'
        using errcode = 'check_violation', constraint = 'content_scans_begin_open', table = tg_table_name;
    end if;
    update content set scan_status = 'scanning' where id = new.content_id;
    return null;
  end if;

  if old.finished_at is not null
    or (new.content_id, new.scanner, new.started_at, new.started_by)
      is distinct from (old.content_id, old.scanner, old.started_at, old.started_by)
  then
    raise exception 'the record of a scan is never rewritten'
      using errcode = 'check_violation', constraint = 'content_scans_record_is_final', table = tg_table_name;
  end if;

  update content
  set
    scan_status = case new.verdict when 'failed' then 'pending' else new.verdict end,
    scanned_at = case new.verdict when 'failed' then scanned_at else new.finished_at end
  where id = new.content_id;
  return null;
end
$$;

create trigger content_scans_apply
  after insert or update on content_scans
  for each row execute function apply_content_scan();
