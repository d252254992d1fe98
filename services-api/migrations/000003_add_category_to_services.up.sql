-- The body is bound to the table when it is created, so it needs no search_path.
create function default_category_id() returns uuid
language sql stable parallel safe
return (select id from service_categories where is_default);

alter table services add column category_id uuid;

-- lockstep: allow work-under-lock: services are counted in hundreds
update services set category_id = default_category_id();

-- A deleted category leaves its services to the default one: `set default` evaluates the function at that moment.
-- Not valid: new rows are checked from now on, and no table is read. 000008 checks the old ones.
alter table services
  alter column category_id set default default_category_id(),
  add constraint services_category_there check (category_id is not null) not valid,
  add constraint services_category_fkey foreign key (category_id)
    references service_categories (id) on delete set default not valid;
