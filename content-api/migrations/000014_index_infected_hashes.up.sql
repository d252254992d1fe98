create index concurrently content_infected_hashes on content (sha256) where scan_status = 'infected';
