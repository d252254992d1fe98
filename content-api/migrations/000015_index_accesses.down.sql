drop index concurrently if exists content_access_log_by_content;
