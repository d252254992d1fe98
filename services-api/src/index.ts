import type { Service } from '@lockstep/chassis';
import { constraints } from './constraints.ts';
import { routeCategories } from './routes/categories.ts';
import { routeFeatured } from './routes/featured.ts';
import { routeServices } from './routes/services.ts';
import { requiredSchemaVersion } from './schema-version.ts';

/** Services with a publishing workflow, their categories, and the two featured positions. */
export const servicesApi: Service = {
  name: 'services-api',
  requiredSchemaVersion,
  constraints,
  routes: (app, database) => {
    routeServices(app, database);
    routeCategories(app, database);
    routeFeatured(app, database);
  },
};
