import { describe, expect, it } from 'vitest';
import { readStatuses } from './compose-status.ts';

// Shapes as Docker Compose prints them: one object a line since 2.21, one array before.
const lines = [
  '{"Command":"docker-entrypoint.s…","ExitCode":0,"Health":"healthy","Name":"s-postgres-1","Service":"postgres","State":"running","Status":"Up 4 seconds (healthy)"}',
  '{"ExitCode":0,"Health":"","Name":"s-bootstrap-1","Service":"bootstrap","State":"exited","Status":"Exited (0) 2 seconds ago"}',
  '{"ExitCode":1,"Health":"","Name":"s-one-migrations-1","Service":"one-migrations","State":"exited","Status":"Exited (1)"}',
  '{"ExitCode":0,"Health":"","Name":"s-one-1","Service":"one","State":"created","Status":"Created"}',
  '{"ExitCode":0,"Health":"starting","Name":"s-two-1","Service":"two","State":"running"}',
  '{"ExitCode":137,"Health":"","Name":"s-three-1","Service":"three","State":"restarting"}',
  '{"ExitCode":0,"Health":"","Name":"s-four-1","Service":"four","State":"paused"}',
];
const expected = [
  { service: 'postgres', state: 'healthy', url: 'postgres://127.0.0.1:15432' },
  { service: 'bootstrap', state: 'completed', exitStatus: 0 },
  { service: 'one-migrations', state: 'failed', exitStatus: 1 },
  { service: 'one', state: 'created' },
  { service: 'two', state: 'starting' },
  { service: 'three', state: 'restarting', exitStatus: 137 },
  { service: 'four', state: 'stopped' },
];
const url = (service: string) => (service === 'postgres' ? 'postgres://127.0.0.1:15432' : undefined);

describe('what compose ps prints', () => {
  it('is read when it is one object a line', () => {
    expect(readStatuses(`${lines.join('\n')}\n`, url)).toEqual(expected);
  });

  it('is read when it is one array', () => {
    expect(readStatuses(`[${lines.join(',')}]`, url)).toEqual(expected);
  });

  it.each([
    '',
    '\n',
    '[]',
    'null',
    'time="…" level=warning msg="x"\n',
    '{"Service":5,"State":"running"}',
    '[1, null]',
  ])('holds no container in %j', (text) => {
    expect(readStatuses(text, url)).toEqual([]);
  });
});
