/**
 * How files are named and recorded: `versioned` is `{version}_{description}.up.sql` with its `.down.sql`, recorded by version;
 * `alphabetical` is plain `.sql` files in the order of their names, recorded by name.
 */
export const layouts = ['versioned', 'alphabetical'] as const;
export type Layout = (typeof layouts)[number];
