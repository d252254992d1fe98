create table featured_categories (
  position smallint not null,
  category_id uuid not null,
  -- Always false, and part of the reference: neither can the default category be featured, nor a featured one become
  -- the default.
  category_is_default boolean not null generated always as (false) stored,
  featured_at timestamptz(3) not null default now(),
  featured_by text not null,
  constraint featured_categories_pkey primary key (position),
  constraint featured_categories_position_known check (position in (1, 2)),
  constraint featured_categories_category_once unique (category_id),
  constraint featured_categories_never_default foreign key (category_id, category_is_default)
    references service_categories (id, is_default) on delete cascade
);
