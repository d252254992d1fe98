create index concurrently services_by_age on services (created_at desc, id desc);
