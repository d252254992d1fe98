create index concurrently content_by_age on content (registered_at desc, id desc);
