CREATE TYPE publishing_status AS ENUM ('draft', 'published', 'archived');
CREATE TABLE services (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title        varchar(255) NOT NULL,
    category_id  bigint NOT NULL REFERENCES service_categories (id),
    status       publishing_status NOT NULL DEFAULT 'draft',
    published_at timestamptz,
    CONSTRAINT services_published_has_time CHECK (status <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX services_by_category ON services (category_id);
