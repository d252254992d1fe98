alter table content drop column backend_id;
