import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, runService, type Service, schema } from '@lockstep/chassis';

// A service that does on purpose what real ones only suffer.
const probe: Service = {
  name: 'probe',
  requiredSchemaVersion: 3n,
  constraints: {},
  routes: (app, database: Database) => {
    app.get('/who', async () => {
      const { rows } = await database.query('select current_user as "user", pg_backend_pid() as pid');
      return rows[0];
    });
    app.get<{ Querystring: { milliseconds: number } }>(
      '/hold',
      { schema: { querystring: schema.object({ milliseconds: { type: 'integer' } }) } },
      ({ query }) =>
        database.transaction(async (transaction) => {
          const { rows } = await transaction.query('select pg_backend_pid() as pid');
          // Between two statements of a transaction: the connection is checked out and idle.
          await sleep(query.milliseconds);
          await transaction.query('select 1');
          return rows[0];
        }),
    );
    app.get('/defect', async () => {
      throw new Error('password=swordfish in /srv/secret.ts');
    });
    app.post(
      '/echo',
      {
        schema: { body: schema.object({ text: schema.text({ max: 2_000_000, multiline: true }) }, ['text']) },
      },
      async ({ body }) => body,
    );
  },
};

void runService(probe).then((status) => process.exit(status));
