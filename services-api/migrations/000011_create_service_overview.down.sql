drop view service_overview;
