DROP TABLE featured_categories;
