create index concurrently content_access_log_by_content on content_access_log (content_id, accessed_at desc);
