CREATE INDEX CONCURRENTLY events_by_stream ON events (stream);
