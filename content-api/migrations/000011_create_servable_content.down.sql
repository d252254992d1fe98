drop view content_access_daily;
drop view servable_content;
