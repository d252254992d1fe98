import type { Service } from '@lockstep/chassis';
import { constraints } from './constraints.ts';
import { routeBackends } from './routes/backends.ts';
import { routeContent } from './routes/content.ts';
import { routeScans } from './routes/scans.ts';
import { requiredSchemaVersion } from './schema-version.ts';

/** Content with a virus-scan lifecycle, its accesses, and the storage backends it lies in. */
export const contentApi: Service = {
  name: 'content-api',
  requiredSchemaVersion,
  constraints,
  routes: (app, database) => {
    routeContent(app, database);
    routeScans(app, database);
    routeBackends(app, database);
  },
};
