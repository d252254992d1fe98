import { expect, test } from 'vitest';
import { explainPortRefusal } from './ports.ts';

const place = { file: 'compose.yaml', line: 1, column: 1 };
const port = { host: '127.0.0.1', published: 61_083, target: 8080, setting: 'ADMINER_PORT', place };
const service = { ports: [port] };

test.each([
  'Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint x (8f): Bind for 127.0.0.1:61083 failed: port is already allocated',
  'Error: cannot listen on the TCP port: listen tcp4 127.0.0.1:61083: bind: address already in use',
  'Error: rootlessport listen tcp 127.0.0.1:61083: bind: address already in use',
])('F16.6 a port that was taken meanwhile is one line and a remedy: %s', (said) => {
  expect(explainPortRefusal(service, said)).toEqual([
    'ADMINER_PORT 61083 is taken by another program',
    'set another number in .env, such as ADMINER_PORT=62083, then make up',
  ]);
});

test('F16.6 any other refusal of an engine stays in its own words', () => {
  expect(explainPortRefusal(service, 'network x not found')).toBeUndefined();
});
