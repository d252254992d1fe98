drop table content_scans;
