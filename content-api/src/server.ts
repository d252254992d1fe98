import { runService } from '@lockstep/chassis';
import { contentApi } from './index.ts';

void runService(contentApi).then((status) => process.exit(status));
