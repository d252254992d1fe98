import { proveGate } from '../../test/support/service-program.ts';

proveGate('services-api');
