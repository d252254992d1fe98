import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { readServiceName } from './name.ts';

function refusal(name: string): UsageError {
  try {
    readServiceName(name);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${name} was accepted`);
}

const form = 'expected lower-case letters and digits joined by single hyphens, beginning with a letter';

describe('the name of a service', () => {
  test('names its database, its identifier, its setting and its specification', () => {
    expect(readServiceName('billing-api')).toEqual({
      name: 'billing-api',
      database: 'billing',
      identifier: 'billingApi',
      portSetting: 'BILLING_API_PORT',
      specification: 'BILLING-SCHEMA.md',
    });
    expect(readServiceName('orders2-and-returns')).toEqual({
      name: 'orders2-and-returns',
      database: 'orders2_and_returns',
      identifier: 'orders2AndReturnsApi',
      portSetting: 'ORDERS2_AND_RETURNS_PORT',
      specification: 'ORDERS2-AND-RETURNS-SCHEMA.md',
    });
  });

  test.each(['class', 'user-api', 'select', 'a', 'api', 'x-1-api', `${'a'.repeat(36)}-api`])(
    'may be %s',
    (name) => {
      expect(readServiceName(name).identifier).toMatch(/^[a-z][A-Za-z0-9]*Api$/);
    },
  );

  test.each([
    ['Billing API', form, 'make service NAME=billing-api'],
    ['billing_api', form, 'make service NAME=billing-api'],
    ['BillingApi', form, 'make service NAME=billing-api'],
    ['../etc', form, 'make service NAME=etc'],
    ['a/b', form, 'make service NAME=a-b'],
    ['billing--api', form, 'make service NAME=billing-api'],
    ['-billing', form, 'make service NAME=billing'],
    ['1st', form, 'make service NAME=st'],
    ['bücher', form, 'make service NAME=b-cher'],
    ['billing-api\n', form, 'make service NAME=billing-api'],
    ['$(reboot)', form, 'make service NAME=reboot'],
    ['..', form, undefined],
    ['vault', 'the project itself uses that name', undefined],
    ['migrations', 'the project itself uses that name', undefined],
    ['dist', 'the project itself uses that name', undefined],
    ['postgres', 'the project itself uses that name', undefined],
    ['postgres-api', "its database postgres is one of Postgres' own", undefined],
    ['template1', "its database template1 is one of Postgres' own", undefined],
    ['pg-stats', "its database pg_stats is one of Postgres' own", undefined],
    ['billing-migrations', 'a name that ends in -migrations is that of an init container', undefined],
    ['x'.repeat(41), 'expected at most 40 characters, got 41', `make service NAME=${'x'.repeat(40)}`],
  ])('is not %j', (name, rule, hint) => {
    const { message, evidence, hint: said, exitStatus } = refusal(name);
    expect(message).toBe(`${JSON.stringify(name)} cannot be the name of a service`);
    expect([evidence, exitStatus]).toEqual([[rule], 2]);
    // 40 letters are a name, but not the name of a database.
    expect(said).toBe(name.length > 40 ? undefined : hint);
  });

  test('leaves room for the database that a recreate keeps', () => {
    const [rule] = refusal('x'.repeat(40)).evidence;
    expect(rule).toContain('would have 40 bytes, and 39 is the most');
    expect(Buffer.byteLength(`${readServiceName('x'.repeat(39)).database}__before_20250102T030405`)).toBe(63);
  });

  test('is asked for when it is left out, and a long one is shown in part', () => {
    expect(refusal(' ')).toMatchObject({
      message: 'a new service needs a name',
      hint: 'make service NAME=billing-api',
    });
    expect(refusal('y'.repeat(9999)).message.length).toBeLessThan(120);
  });
});
