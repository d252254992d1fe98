drop index concurrently if exists services_by_title;
