// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { afterEach, expect, it } from 'vitest';
import { freePorts, StackFolder } from './support/stack-folder.ts';

let stack: StackFolder | undefined;
afterEach(async () => {
  await stack?.remove();
  stack = undefined;
});

it('F13.5 a stack of several files, extends, include and env_file starts with what they all say', async () => {
  const [port = 0] = await freePorts(1);
  stack = await StackFolder.make({ compose: 'services: { unread: { image: none } }\n' });
  stack.write('.env', 'COMPOSE_FILE=deploy/one.yaml:two.yaml\nCOMPOSE_PROJECT_NAME=several\nV="a$$b # c"\n');
  stack.write('deploy/.env', 'W=deploy\n');
  stack.write(
    'deploy/one.yaml',
    `include: [../shared/print.yaml]
services:
  main:
    extends: { file: base.yaml, service: base }
    environment: { LISTEN_ADDRESS: 0.0.0.0:8080, TOKEN_FILE: /run/secrets/token }
    depends_on: { print: { condition: service_completed_successfully } }
    ports: ["127.0.0.1:${port}:8080"]
secrets: { token: { file: ../.lockstep/secrets/token } }
`,
  );
  stack.write(
    'deploy/base.yaml',
    `services:
  base:
    secrets: [token]
    x-embedded: { entrypoint: [node, programs/app.mjs], healthcheck: { http: "http://0.0.0.0:8080/ready" } }
`,
  );
  stack.write(
    'two.yaml',
    'services: { print: { environment: { TWO: "${V}", NUMBER: 112233445566778899 } } }\n',
  );
  stack.write(
    'shared/print.yaml',
    `services:
  print:
    env_file: [print.env]
    environment: { Q: "\${Q}", W: "\${W}" }
    x-embedded: { entrypoint: [node, programs/print.mjs] }
`,
  );
  stack.write('shared/.env', 'Q=shared\nW=shared\n');
  stack.write('shared/print.env', "FILE='it is $V'\nFILLED=${V}\n");
  stack.write(
    'programs/print.mjs',
    `import { writeFileSync } from 'node:fs';
writeFileSync(${JSON.stringify(`${stack.root}/printed.json`)}, JSON.stringify(process.env));
`,
  );
  const { status, stderr } = await stack.run(['up']);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(await stack.states()).toMatchObject({ main: 'healthy' });
  expect(JSON.parse(stack.read('printed.json'))).toMatchObject({
    TWO: 'a$b # c',
    NUMBER: '112233445566778899',
    Q: 'shared',
    W: 'deploy',
    FILE: 'it is $V',
    FILLED: 'a$b # c',
  });
  expect(stack.read('.env')).toMatch(/^TOKEN=[\w-]{43}$/m);
});
