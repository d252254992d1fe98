-- Hashes and MIME types mean the same in either case; from here on there is one way to write them.
update content
set sha256 = lower(sha256), mime_type = lower(mime_type)
where sha256 <> lower(sha256) or mime_type <> lower(mime_type);
