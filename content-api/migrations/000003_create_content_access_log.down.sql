drop table content_access_log;
