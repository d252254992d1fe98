create index concurrently services_by_status on services (status, created_at desc, id desc);
