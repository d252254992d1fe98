-- Categories first: a service belongs to one.
CREATE TABLE service_categories (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text    NOT NULL UNIQUE CHECK (name <> ''),
    is_default boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX service_categories_one_default ON service_categories (is_default) WHERE is_default;
INSERT INTO service_categories (name, is_default) VALUES ('Unassigned', true);
