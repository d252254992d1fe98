drop table storage_backends;
