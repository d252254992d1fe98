-- check: select count(*) = 1 from service_categories where is_default
DROP TABLE services;
DROP TYPE publishing_status;
