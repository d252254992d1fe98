create index concurrently services_by_title on services (lower(title) text_pattern_ops);
