import { describe, expect, it } from 'vitest';
import { faults, found } from '../../../test/support/found.ts';
import { secretInEnvironment } from './secrets.ts';

const services = `a:
  environment:
    POSTGRES_PASSWORD: hunter2
    API_TOKEN: \${TOKEN:-hunter2}
    OTHER_TOKEN: \${TOKEN:-}
    DATABASE_URL: postgres://app:hunter2@db/app
    POSTGRES_PASSWORD_FILE: /run/secrets/x
    VAULT_SECRET_ID_FILE: /run/secret_id
    VAULT_SECRET_PATH: secret/data/a
    CREDENTIALS_FOLDERS: /run/credentials
    USE_TOKEN: "true"
    EMPTY_PASSWORD: ""
    PLAIN_URL: postgres://app@db/app
b: { environment: ["SECRET_KEY=hunter2"] }`;

describe('secrets in the environment', () => {
  it('are found by their names, and by passwords in URLs', () => {
    expect(found(secretInEnvironment, services)).toEqual([
      'bad 4:7 a: POSTGRES_PASSWORD holds a secret, written out in the file',
      'bad 5:7 a: API_TOKEN holds a secret, written out in the file',
      'note 6:7 a: OTHER_TOKEN holds a secret',
      'bad 7:7 a: DATABASE_URL holds a secret, written out in the file',
      'bad 15:22 b: SECRET_KEY holds a secret, written out in the file',
    ]);
  });

  it('are never shown', () => {
    expect(JSON.stringify(faults(secretInEnvironment, services))).not.toContain('hunter2');
  });
});
