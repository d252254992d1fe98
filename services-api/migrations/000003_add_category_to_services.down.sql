alter table services drop column category_id;

drop function default_category_id();
