// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.

/** A source of numbers from 0 to below `most`, the same for the same seed (mulberry32). */
export type Random = (most: number) => number;

export function seeded(seed: number): Random {
  let state = seed;
  return (most) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most;
  };
}

function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[random(from.length)] ?? from[0];
}

const envParts = [
  ...[
    'x',
    ' ',
    '  ',
    '#',
    ' #',
    '$',
    '$$',
    '$B',
    '${B}',
    '${C:-d}',
    '${B:+e}',
    '${C-',
    '${B',
    '}',
    '"',
    "'",
    '\\',
    '\\n',
  ],
  ...[
    '\\t',
    '\\"',
    "\\'",
    '\\$',
    '=',
    ':',
    '\t',
    '0',
    'é',
    '{',
    '[',
    '`',
    '%',
    ',',
    '/',
    '\n ',
    '${C:?',
    '\\0101',
    '-',
    '?',
  ],
] as const;

/** A text of `.env` that gives `B` and `A` values, of whatever the format may make something of. */
export function randomEnvText(random: Random): string {
  const value = (most: number) =>
    Array.from({ length: random(most) }, () => pick(random, ['x', ...envParts])).join('');
  const quote = pick(random, ['', '', '"', '"', "'"]);
  const separator = pick(random, ['=', '=', '=', ' = ', ':', ': ']);
  return `B${separator}b\nA${pick(random, ['=', separator])}${quote}${value(8)}${quote}\n`;
}

/** A word of the characters that numbers, dates and constants of YAML are made of. */
export function randomScalar(random: Random): string {
  const starts = pick(random, ['0', '1', '-', '+', '.', '0x', '0b', '0o', '20', '2001-', 'n', 't', '_']);
  const parts = ['0', '1', '7', '8', '9', '_', '.', 'e', 'E', '-', '+', 'a', 'f', '1', '0'] as const;
  return starts + Array.from({ length: random(7) }, () => pick(random, parts)).join('');
}

const bodies: Readonly<Record<string, readonly [unknown, ...unknown[]]>> = {
  command: [['run', 'a b'], 'run "a b"', 'x | y', [], null, 'a $$B', '${V}', ['${V:-q}']],
  environment: [
    { A: 1, B: null },
    ['A=1', 'B', 'C=${V}'],
    { A: true, D: 1.5 },
    { A: '' },
    ['A=1', 'A=2'],
    ['V'],
    {},
  ],
  depends_on: [
    ['z'],
    { z: { condition: 'service_healthy' } },
    { z: { condition: 'service_completed_successfully', required: false } },
    { z: {} },
    { z: { condition: 'odd' } },
    [],
  ],
  ports: [
    ['80:80'],
    ['127.0.0.1:81:80', '82:80/udp'],
    ['80:80', '80:80'],
    [{ target: 80, published: '85' }],
    ['86-87:86-87'],
    ['x:1'],
  ],
  volumes: [
    ['vol:/v'],
    ['./d:/v', 'vol:/w:ro'],
    [{ type: 'bind', source: './q', target: '/v/' }],
    ['none:/v'],
    ['./v:/v', './d:/v'],
  ],
  healthcheck: [
    { test: 'x' },
    { test: ['CMD', 'x'], interval: '5s', retries: 2 },
    { disable: true },
    { test: ['NONE'] },
    { interval: '1m30s', timeout: '1.5s' },
    { test: ['x'] },
  ],
  labels: [{ l: 1 }, ['l=1', 'm'], { l: null, n: '${V}' }],
  secrets: [['s'], [{ source: 's', target: 't' }], ['none']],
  configs: [['c'], [{ source: 'c', target: '/etc/c' }]],
  networks: [['n'], { n: null }, { n: { aliases: ['q'] }, default: null }],
  profiles: [['p'], []],
  stop_grace_period: ['5s', '1m', '0', '5'],
  env_file: ['one.env', ['one.env', 'two.env'], [{ path: 'none.env', required: false }], ['none.env']],
  extends: ['base', { service: 'base' }, { service: 'base', file: 'other/base.yaml' }, 'none'],
  network_mode: ['service:z', 'host'],
};
/** The entries of `bodies` that Compose refuses; rare, so that most stacks are read. */
const isOdd = (value: unknown): boolean =>
  /none:|"x:1"|"none|\{\}|odd|\["x"\]|^"5"$/.test(JSON.stringify(value));

function randomService(random: Random): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [key, values] of Object.entries(bodies)) {
    if (random(4) > 0) continue;
    const value = pick(random, values);
    if (!isOdd(value) || random(6) === 0) body[key] = value;
  }
  if ('networks' in body && random(8) > 0) delete body['network_mode'];
  return body;
}

/** A project of three services, an override, two `env_file`s and a file to extend from. */
export function randomStack(random: Random): Record<string, string> {
  const healthcheck = { test: ['CMD', 'true'] };
  const base = {
    services: {
      a: { image: 'x', ...randomService(random) },
      z: { image: 'z', healthcheck },
      base: { image: 'b', environment: { E: 'base', A: 0 }, command: 'base', volumes: ['vol:/b'] },
    },
    volumes: { vol: null },
    secrets: { s: { file: './s' } },
    configs: { c: { content: 'c' } },
    networks: { n: null },
  };
  const over = { services: { a: randomService(random) } };
  const other = { image: 'o', volumes: ['./d:/o'], env_file: 'o.env', depends_on: ['z'], labels: { o: 1 } };
  return {
    'compose.yaml': JSON.stringify(base),
    'compose.override.yaml': JSON.stringify(over),
    'one.env': 'A=one\nF=${V:-f}\nG=$A\n',
    'two.env': 'A="two $$"\nH=$G\nV\n',
    'other/base.yaml': JSON.stringify({ services: { base: other } }),
    'other/o.env': 'O=1\n',
    '.env': `V=${pick(random, ['v', '', '"v w"'])}\nCOMPOSE_PROJECT_NAME=random\n`,
  };
}
