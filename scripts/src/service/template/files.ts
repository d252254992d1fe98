import { serviceManifest } from '../manifests.ts';
import type { NewService } from '../name.ts';
import { migrationDown, migrationUp, specification } from './schema.ts';
import { constraints, index, item, itemRoutes, schemaVersion, schemaVersionTest, server } from './source.ts';
import { itemsTest, schemaTest, serverTest } from './tests.ts';

/** A file of a new service: its path inside the service's folder, and its text. */
export interface TemplateFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The folder of a new service: an app with one resource, the migration that makes its table, the specification of the
 * schema, and the tests that hold them together.
 */
export function serviceFiles(service: NewService, chassisVersion: string): TemplateFile[] {
  const manifest = JSON.stringify(serviceManifest(service.name, chassisVersion), null, 2);
  const files: Record<string, string> = {
    'package.json': `${manifest}\n`,
    [service.specification]: specification(service),
    'migrations/000001_create_items.up.sql': migrationUp,
    'migrations/000001_create_items.down.sql': migrationDown,
    'src/constraints.ts': constraints(service),
    'src/index.ts': index(service),
    'src/item.ts': item,
    'src/routes/items.ts': itemRoutes,
    'src/schema-version.ts': schemaVersion,
    'src/schema-version.test.ts': schemaVersionTest,
    'src/server.ts': server(service),
    'test/items.test.ts': itemsTest(service),
    'test/schema.test.ts': schemaTest(service),
    'test/server.test.ts': serverTest(service),
  };
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
