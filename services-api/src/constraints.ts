import type { Constraints } from '@lockstep/chassis';

const slugTaken = { status: 409, code: 'slug-taken', title: 'The slug is taken' };
const neverDefault = {
  status: 409,
  code: 'featured-never-default',
  title: 'A featured category cannot be the default one',
  detail: 'take the category off its featured position, or choose another default, first',
};

const transitionRefused = {
  status: 409,
  code: 'transition-refused',
  title: 'The service cannot take this step',
  detail: 'a draft can be published, a published service archived, and nothing else',
};

/** What the constraints of SERVICES-SCHEMA.md mean to a caller. */
export const constraints: Constraints = {
  services_slug_unique: slugTaken,
  service_categories_slug_unique: slugTaken,
  services_category_fkey: {
    status: 422,
    code: 'category-unknown',
    title: 'There is no such category',
  },
  services_published_has_content: {
    status: 422,
    code: 'content-missing',
    title: 'A published service has content',
    detail: 'set contentUrl first',
  },
  services_status_transition: transitionRefused,
  // To publish what is published would rewrite who published it.
  services_record_is_final: transitionRefused,
  services_archived_is_final: {
    status: 409,
    code: 'archived-is-final',
    title: 'An archived service is never changed',
  },
  service_categories_default_stays: {
    status: 409,
    code: 'default-category-stays',
    title: 'The default category cannot be deleted',
    detail: 'make another category the default first',
  },
  service_categories_one_default: {
    status: 409,
    code: 'default-category-changed',
    title: 'Another category became the default in the meantime',
  },
  featured_categories_category_once: {
    status: 409,
    code: 'already-featured',
    title: 'The category has another featured position',
    detail: 'a category is featured once; free its other position first',
  },
  featured_categories_never_default: neverDefault,
};
