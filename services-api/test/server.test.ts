import { proveDrain } from '../../test/support/service-drain.ts';
import { proveGate } from '../../test/support/service-program.ts';

proveGate('services-api');

proveDrain('services-api', {
  path: '/categories',
  body: (number) => ({ slug: `category-${number}`, name: `Category ${number}` }),
  count: "select count(*) from service_categories where slug like 'category-%'",
});
