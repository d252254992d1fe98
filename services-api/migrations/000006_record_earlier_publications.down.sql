-- The record becomes unknown again; 000005's down file then removes its columns.
update services
set published_at = null, published_by = null, archived_at = null, archived_by = null
where status <> 'draft';
