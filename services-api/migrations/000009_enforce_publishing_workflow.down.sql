drop trigger services_publishing_workflow on services;
drop function enforce_publishing_workflow();
