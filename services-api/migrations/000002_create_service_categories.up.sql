create table service_categories (
  id uuid not null default gen_random_uuid(),
  slug text not null,
  name text not null,
  is_default boolean not null default false,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint service_categories_pkey primary key (id),
  constraint service_categories_slug_unique unique (slug),
  constraint service_categories_slug_form check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 80),
  constraint service_categories_name_length check (char_length(name) between 1 and 120),
  -- What a featured category refers to, so that being the default is part of the reference.
  constraint service_categories_id_is_default_unique unique (id, is_default)
);

create unique index service_categories_one_default on service_categories (is_default) where is_default;

insert into service_categories (slug, name, is_default) values ('general', 'General', true);
