create function keep_one_default_category() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'the default category cannot be deleted'
      using errcode = 'check_violation', constraint = 'service_categories_default_stays', table = tg_table_name;
  end if;
  -- Deferred to the commit: between the two updates that hand the mark over there is none.
  if default_category_id() is null then
    raise exception 'there must be a default category'
      using errcode = 'check_violation', constraint = 'service_categories_default_exists', table = tg_table_name;
  end if;
  return null;
end
$$;

create trigger service_categories_default_stays
  before delete on service_categories
  for each row when (old.is_default)
  execute function keep_one_default_category();

create constraint trigger service_categories_default_exists
  after update of is_default on service_categories
  deferrable initially deferred
  for each row when (old.is_default and not new.is_default)
  execute function keep_one_default_category();
