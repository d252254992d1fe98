DROP TABLE service_categories;
