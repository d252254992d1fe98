-- Services published before anybody kept a record: the last change is the best that is known about who and when.
update services
set published_at = updated_at, published_by = updated_by
where status in ('published', 'archived') and published_at is null;

update services
set archived_at = updated_at, archived_by = updated_by
where status = 'archived' and archived_at is null;
