import { expect, test } from 'vitest';
import { Failure, renderFailure } from './failure.ts';
import { markSecret, redact } from './redaction.ts';

class LockHeld extends Failure {}

test('a failure prints its fact, its evidence and one way out', () => {
  const failure = new LockHeld('the lock on services was not free after 30 s', {
    code: 'lock-held',
    exitStatus: 4,
    evidence: ['holder: pid 4711'],
    hint: 'make db-migrate-status SERVICE=services-api',
  });
  expect(renderFailure('migrate', failure)).toBe(`migrate: the lock on services was not free after 30 s
  holder: pid 4711
  try: make db-migrate-status SERVICE=services-api
`);
});

test('an unforeseen error keeps its message and shows where it came from', () => {
  expect(renderFailure('migrate', new TypeError('x is undefined'))).toMatch(
    /^migrate: unexpected error: x is undefined\n {2}at .*failure\.test\.ts/,
  );
});

test.each([
  ['postgres://u:p%40ss@h:1/d', 'postgres://u:****@h:1/d'],
  ['at postgres://u:p@ss/w{rd@h:1/d now', 'at postgres://u:****@h:1/d now'],
  ['host=h password=hunter2 user=u', 'host=h password=**** user=u'],
  ["password='with blank' x", 'password=**** x'],
  ['secret_id=abc-def', 'secret_id=****'],
  ['http://127.0.0.1:8200/v1/x', 'http://127.0.0.1:8200/v1/x'],
  ['mail me@example.org at 10:30', 'mail me@example.org at 10:30'],
])('%j is printed as %j', (text, masked) => {
  expect(redact(text)).toBe(masked);
});

test('a marked secret is masked wherever it appears, also percent-encoded', () => {
  markSecret('s^%&{@/cret');
  expect(redact(`a s^%&{@/cret b ${encodeURIComponent('s^%&{@/cret')}`)).toBe('a **** b ****');
});

test('masking many @ signs takes linear time', () => {
  expect(redact(`x://u:${'@'.repeat(50_000)}`)).toContain('x://u:');
});
