import type { Constraints } from '@lockstep/chassis';

/** What the constraints of CONTENT-SCHEMA.md mean to a caller. */
export const constraints: Constraints = {
  content_blob_url_unique: {
    status: 409,
    code: 'blob-registered',
    title: 'The blob is registered already',
  },
  content_infected_is_final: {
    status: 409,
    code: 'infected-is-final',
    title: 'Infected content is not scanned again',
    detail: 'register a cleaned copy as other content',
  },
  content_scans_one_open: {
    status: 409,
    code: 'scan-open',
    title: 'The content is being scanned already',
    detail: 'record the result of the open scan first; a scanner that was lost has the verdict failed',
  },
  content_scans_record_is_final: {
    status: 409,
    code: 'scan-finished',
    title: 'The scan has its result already',
  },
  storage_backends_active_priority: {
    status: 409,
    code: 'priority-taken',
    title: 'Another active backend has this priority',
  },
};
