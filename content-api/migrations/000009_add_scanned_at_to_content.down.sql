alter table content drop column scanned_at;
