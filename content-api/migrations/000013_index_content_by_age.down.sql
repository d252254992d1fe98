drop index concurrently if exists content_by_age;
