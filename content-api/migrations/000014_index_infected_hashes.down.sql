drop index concurrently if exists content_infected_hashes;
