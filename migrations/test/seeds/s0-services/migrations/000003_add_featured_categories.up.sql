CREATE TABLE featured_categories (
    category_id bigint PRIMARY KEY REFERENCES service_categories (id) ON DELETE CASCADE,
    position    integer NOT NULL UNIQUE CHECK (position BETWEEN 1 AND 2)
);
