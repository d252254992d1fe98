import { proveDrain } from '../../test/support/service-drain.ts';
import { proveGate } from '../../test/support/service-program.ts';

proveGate('content-api');

proveDrain('content-api', {
  path: '/content',
  body: (number) => ({
    blobUrl: `https://primary.blob.example/${number}`,
    sha256: number.toString(16).padStart(64, '0'),
    mimeType: 'image/png',
    sizeBytes: number,
  }),
  count: 'select count(*) from content',
});
