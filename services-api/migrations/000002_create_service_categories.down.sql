drop table service_categories;
