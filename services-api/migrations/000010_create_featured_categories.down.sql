drop table featured_categories;
