import { expect, test } from 'vitest';
import { parseServices } from './service.ts';

test('a pair names the database, the roles, the entries and the folders of a service', () => {
  expect(parseServices('services-api:services')).toEqual({
    mistakes: [],
    services: [
      {
        name: 'services-api',
        database: 'services',
        migrator: {
          name: 'services-api-migrator',
          user: 'services_migrator',
          entry: 'services-api/migrator',
        },
        app: { name: 'services-api-app', user: 'services_app', entry: 'services-api/app' },
      },
    ],
  });
});

test('blanks, line ends and commas separate pairs', () => {
  expect(parseServices(' a:a, b:b\n c:c ').services.map((service) => service.name)).toEqual(['a', 'b', 'c']);
});

test.each([
  [
    'services-api',
    'expected service:database in lower case, such as services-api:services, got "services-api"',
  ],
  ['../x:y', 'expected service:database in lower case, such as services-api:services, got "../x:y"'],
  ['a:b:c', 'expected service:database in lower case, such as services-api:services, got "a:b:c"'],
  ['a:B"; drop', 'expected service:database in lower case, such as services-api:services, got "a:B";"'],
  ['a:same b:same', '"b:same" repeats a service or a database'],
  [
    `a:${'x'.repeat(40)}`,
    `expected service:database in lower case, such as services-api:services, got "a:${'x'.repeat(40)}"`,
  ],
  ['', 'names no service'],
])('%j is refused', (text, rule) => {
  expect(parseServices(text).mistakes[0]).toBe(rule);
});
