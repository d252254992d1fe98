drop trigger content_scans_apply on content_scans;
drop function apply_content_scan();
drop trigger content_lifecycle on content;
drop function enforce_content_lifecycle();
