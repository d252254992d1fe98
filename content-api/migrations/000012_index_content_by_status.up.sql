create index concurrently content_by_status on content (scan_status, registered_at desc, id desc);
