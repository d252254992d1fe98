-- security_invoker: whoever reads the view needs the right to read its tables.
create view service_overview with (security_invoker = true) as
select
  service.id,
  service.slug,
  service.title,
  service.summary,
  service.content_url,
  service.status,
  service.category_id,
  category.slug as category_slug,
  category.name as category_name,
  featured.position as featured_position,
  service.version,
  service.created_at,
  service.created_by,
  service.updated_at,
  service.updated_by,
  service.published_at,
  service.published_by,
  service.archived_at,
  service.archived_by
from services as service
join service_categories as category on category.id = service.category_id
left join featured_categories as featured on featured.category_id = service.category_id;
