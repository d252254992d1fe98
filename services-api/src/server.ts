import { runService } from '@lockstep/chassis';
import { servicesApi } from './index.ts';

void runService(servicesApi).then((status) => process.exit(status));
