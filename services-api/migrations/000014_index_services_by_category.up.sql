create index concurrently services_by_category on services (category_id, created_at desc, id desc);
