// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is Compose's syntax.

/** Unquoted values of `environment` and `labels` that YAML may take for something else than words. */
export const scalars: readonly string[] = [
  '112233445566778899',
  '0123',
  '1_000',
  '0b11',
  '1e10',
  '1234567.0',
  'yes',
  '~',
  '0x1F',
  '0o17',
  '+5',
  '08',
  '.5',
  '1e21',
  '1.0',
  '.inf',
  '.NaN',
  'True',
  'on',
  'null',
  '-0',
  '-0.0',
  '99999999999999999999',
  '18446744073709551615',
  '12:30',
  '1__0',
  '0_7',
  '_1',
  '1_',
  '1.5e-7',
  '0.00001',
  '123456789.5',
  '"0123"',
  "'1e10'",
  '1.',
  '-0x1f',
  '-0b11',
  '0X1F',
  '0O17',
  '0B11',
  '1e400',
  '=',
  'y',
  'n',
  '0.1e1',
  '+.inf',
  '-.INF',
  '.Inf',
  '1_000.5',
  '0x',
  '0x1p4',
  'Inf',
  'nan',
  "''",
  '0xffffffffffffffffff',
  '-99999999999999999999',
  '+.5',
  '.5e3',
  '._5',
  '.',
  '190:20:30',
  '3.0e2',
  '1e5',
  '100000.0',
  '1000000.0',
  '123456789012345678901.0',
  '-9223372036854775808',
  '-9223372036854775809',
  '9223372036854775808',
  '0777',
  '-017',
  '09.5',
  '00',
  '0_',
  '1e-4',
  '1e-5',
  '0.0001',
  '999999.5',
  '-1e6',
  '1e+6',
  '1E6',
  '!!str 0123',
  '!!int "7"',
  '!!float 3',
  '!!bool true',
  '!!str true',
  '2001-13-01',
  '2001-02-30',
  '10-10-2001',
  '2001-01',
  '1.2.3',
  '1-2',
  'TRUE',
  'False',
  'NULL',
  'Null',
  'nULL',
  'tRue',
  '+0b11',
  '0b12',
  '0o8',
  '0xg',
  '+_1',
  '1.e5',
  '1.5e',
  '0.1.2',
  '--',
  '+-',
  '-',
  '+',
  '--1',
  '0b',
  '0o',
  '1e1_0',
  '1_e1',
  '2001-12-14 21:59:43.10 -5',
  '12 30',
  '1 2',
  '0123 # c',
];

/** As {@link scalars}, and refused: dates, which Compose will not have as the value of a variable. */
export const dates: readonly string[] = [
  '2001-01-01',
  '2001-12-14t21:59:43.10-05:00',
  '2001-1-1',
  '2001-01-01 10:00:00',
];

/** A project to read: the texts of its files, and the environment that it is read in. */
export interface StackCase {
  readonly files: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Why only one of the two takes it; undefined where both have to agree. */
  readonly differs?: string;
}

/** A file with one service, which has these lines too. */
const y = (lines = '') => `services:\n  a:\n    image: x\n${lines}`;
const main = 'services:\n  a:\n    image: x\n    environment: {A: "${V}"}\n';
const tail = { networks: { n: null, m: null }, secrets: { s: { file: './s' } } };
/** A file, the services of one laid upon it, and what else is in the first. */
const onto = (base: object, over: object, rest: object) => ({
  'compose.yaml': JSON.stringify({ services: base, ...rest }),
  'compose.override.yaml': JSON.stringify(Object.keys(over).length === 0 ? { 'x-n': 1 } : { services: over }),
});

/** A list's entry, and why it is refused here though Compose takes it. */
type Entry = string | readonly [entry: string, differs: string];
const listed = (key: string, entries: readonly Entry[], rest = ''): Record<string, StackCase> =>
  Object.fromEntries(
    entries.map((given) => {
      const [entry, differs] = typeof given === 'string' ? [given] : given;
      const files = { 'compose.yaml': y(`    ${key}: [${entry}]\n${rest}`) };
      return [`${key} ${entry}`, differs === undefined ? { files } : { files, differs }];
    }),
  );

const chosen = 'a published port of the engine’s choice';
const unnamed = 'a volume without a name';
const relative = 'a target that is not absolute, which the engine refuses';
const kind = 'a kind of mount that not every engine has';

const ports: readonly Entry[] = [
  'localhost:80:80',
  ['80', chosen],
  '80:80',
  ['"80"', chosen],
  ['127.0.0.1::80', chosen],
  '127.0.0.1:80:80',
  ['0:80', chosen],
  ['8000-8002:80', chosen],
  '8000-8002:80-82',
  '8000-8001:80-82',
  ['80-82', chosen],
  '"::1:80:80"',
  '"[::1]:80:80"',
  '80:80/udp',
  '80:80/sctp',
  '80:80/foo',
  'a:80',
  '80:a',
  '70000:80',
  '80:70000',
  '"80:80:80"',
  '1.2.3.4.5:80:80',
  '80:0',
  '"127.0.0.1:80"',
  ['{target: 80}', chosen],
  '{target: 80, published: 81}',
  ['{target: 80, published: "81-83"}', chosen],
  '{target: 80, published: "81", host_ip: localhost}',
  '{published: "81"}',
  ['{target: "80"}', chosen],
  '{target: 80, protocol: udp}',
  '{target: 80, mode: host, name: n, app_protocol: http, published: 5}',
  ['{target: 80, published: ""}', chosen],
  ['":80"', chosen],
  '"80:"',
  '""',
  '80.5',
  '{target: 80, foo: 1}',
  '080:080',
  '0x50:80',
  '" 80:80"',
  '"80:80 "',
  '80:80/TCP',
  '"$${X}:80"',
  ['"${NOPE}:80"', chosen],
  '"127.0.0.1:${NOPE:-9}:80"',
  '{target: 80, published: 8080, host_ip: ""}',
  ['{target: 70000, published: 1}', 'a port that the engine refuses'],
  ['{target: 80, published: 70000}', 'a port that the engine refuses'],
  ['{target: 0, published: 1}', 'a port that the engine refuses'],
  '"8080:80/"',
  '*x',
  '80:80, 80:80',
  '80:80, 81:80',
];

const volumes: readonly Entry[] = [
  ['/x', unnamed],
  ['a:/x', 'a name of one letter, which Compose takes for a Windows drive'],
  './d:/x',
  '/tmp:/x:ro',
  ['a:/x:rw,z', 'a drive'],
  ['vol:x', relative],
  ['x', unnamed],
  'vol:/x:foo',
  'vol:/x:ro:y',
  '~:/x',
  '$HOME:/x',
  '.:/x',
  '..:/y',
  'a/b:/x',
  ['"a:"', unnamed],
  '":/x"',
  ['{type: volume, target: /x}', unnamed],
  '{type: volume, source: vol, target: /x}',
  '{type: bind, source: d, target: /x}',
  '{type: bind, target: /x}',
  '{type: tmpfs, target: /x}',
  '{type: foo, target: /x}',
  '{target: /x}',
  ['{type: volume, source: vol, target: x}', relative],
  '{type: bind, source: ./q, target: /x, bind: {create_host_path: false}}',
  ['{type: npipe, source: a, target: /x}', kind],
  ['{type: image, source: a, target: /x}', kind],
  ['{type: cluster, source: a, target: /x}', kind],
  'vol:/x/',
  'vol:/',
  ['C:\\a:/x', 'a Windows path'],
  'vol:/x:nocopy',
  '{type: volume, source: vol}',
  '{type: volume, source: vol, target: /x, foo: 1}',
  '5',
  'vol:/x, ./d:/x/',
  'vol:/x, vol:/z',
];

/** Whole projects by hand, each named for what it is about. */
export const stackCases: Readonly<Record<string, StackCase>> = {
  ...listed('ports', ports),
  ...listed('volumes', volumes, 'volumes: {vol: , v: }\n'),
  twodocs: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n---\nservices:\n  a:\n    environment: {A: 1}\n  b:\n    image: y\n',
    },
  },
  emptydoc1: { files: { 'compose.yaml': '---\n---\nservices:\n  a:\n    image: x\n' } },
  emptydoc2: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n---\n' } },
  emptydoc3: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n---\n# c\n...\n' } },
  twodocs_cmd: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    command: [a]\n---\nservices:\n  a:\n    command: !reset null\n',
    },
  },
  intkey: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment:\n      1: x\n' } },
  boolkey: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment:\n      true: x\n' } },
  nullkey: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment:\n      ~: x\n' } },
  intservice: { files: { 'compose.yaml': 'services:\n  1:\n    image: x\n' } },
  yeskey: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment:\n      yes: x\n' } },
  twomerge: {
    files: {
      'compose.yaml':
        'x-a: &a {restart: always}\nx-b: &b {image: x}\nservices:\n  a:\n    <<: *a\n    <<: *b\n',
    },
  },
  mergelist: {
    files: {
      'compose.yaml':
        'x-a: &a {restart: always, image: y}\nx-b: &b {image: x}\nservices:\n  a:\n    <<: [*a, *b]\n',
    },
  },
  quotedmerge: { files: { 'compose.yaml': 'x-a: &a {image: x}\nservices:\n  a:\n    "<<": *a\n' } },
  tag: {
    differs: 'tags mean nothing to Compose',
    files: { 'compose.yaml': 'services:\n  a:\n    image: !foo x\n    environment: !bar {A: 1}\n' },
  },
  tagint: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    environment: {A: !foo 0123, B: !!str 1e10, C: !!binary aGk=, D: !!timestamp 2001-01-01, E: !!float "1e3", F: ! 0123}\n',
    },
  },
  dup: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    image: y\n' } },
  cmdint: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: [1]\n' } },
  cmdstrint: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: 5\n' } },
  cmdbool: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: [true]\n' } },
  cmdnullitem: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: [~]\n' } },
  cmdempty: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: []\n    entrypoint: ""\n' },
  },
  cmdstr: {
    files: {
      'compose.yaml': 'services:\n  a:\n    image: x\n    command: a "b c" $$X \'d e\' f\\ g "h\\"i" "" #x\n',
    },
  },
  cmdops: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: a && b; c | d > e `f`\n' },
  },
  cmdquote: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: a "b\n' } },
  cmdbq: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    command: a `b` $$(c) (d)\n' } },
  labels: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    labels: {A: 1e10, B: yes, C: ~, D: true, E: 0123}\n',
    },
  },
  labelslist: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    labels: [A=1e10, B, C=, "D=x=y"]\n' },
  },
  envlist: {
    files: {
      'compose.yaml': 'services:\n  a:\n    image: x\n    environment: [A=1e10, B, C=, "D=x=y", A=2]\n',
    },
  },
  envlistint: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment: [1]\n' } },
  envlistdup: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment: [A=1, A=1]\n' } },
  envmaplist: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment: {A: [x]}\n' } },
  envnull: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment:\n' } },
  envstr: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    environment: A=1\n' } },
  envname: {
    files: {
      'compose.yaml': 'services:\n  a:\n    image: x\n    environment: {"A B": 1, "A=B": 2, "": 3}\n',
    },
  },
  depmap: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: {b: {}}\n  b: {image: x}\n' },
  },
  depnull: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: {b: }\n  b: {image: x}\n' },
  },
  depdup: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: [b, b]\n  b: {image: x}\n' },
  },
  depself: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: [a]\n' } },
  depstr: {
    files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: b\n  b: {image: x}\n' },
  },
  depreq: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    depends_on: {b: {condition: service_started, required: no}}\n  b: {image: x}\n',
    },
  },
  depreqstr: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    depends_on: {b: {condition: service_started, required: "false"}}\n  b: {image: x}\n',
    },
  },
  depmissing: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    depends_on: {b: {condition: service_started, required: false}}\n',
    },
  },
  depundef: { files: { 'compose.yaml': 'services:\n  a:\n    image: x\n    depends_on: [b]\n' } },
  noimage: { files: { 'compose.yaml': 'services:\n  a: {}\n' } },
  noimagenull: { files: { 'compose.yaml': 'services:\n  a:\n' } },
  build: { files: { 'compose.yaml': 'services:\n  a: {build: .}\n' } },
  buildmap: { files: { 'compose.yaml': 'services:\n  a: {build: {context: .}}\n' } },
  buildempty: { files: { 'compose.yaml': 'services:\n  a: {build: {}}\n' } },
  imgempty: { files: { 'compose.yaml': 'services:\n  a: {image: ""}\n' } },
  imgint: { files: { 'compose.yaml': 'services:\n  a: {image: 5}\n' } },
  inactive_noimage: { files: { 'compose.yaml': 'services:\n  a: {image: x}\n  b: {profiles: [p]}\n' } },
  depshort: {
    files: onto(
      {
        a: {
          image: 'x',
          depends_on: { b: { condition: 'service_healthy', required: false, restart: true } },
        },
        b: { image: 'x' },
      },
      { a: { depends_on: ['b'] } },
      tail,
    ),
  },
  depshort2: {
    differs: 'it could never be healthy',
    files: onto(
      { a: { image: 'x', depends_on: ['b'] }, b: { image: 'x' } },
      { a: { depends_on: { b: { condition: 'service_healthy' } } } },
      tail,
    ),
  },
  deplong2: {
    files: onto(
      {
        a: { image: 'x', depends_on: { b: { condition: 'service_healthy', required: false } } },
        b: { image: 'x' },
      },
      { a: { depends_on: { b: { condition: 'service_started' } } } },
      tail,
    ),
  },
  over_envnull: {
    files: onto({ a: { image: 'x', environment: { A: 1 } } }, { a: { environment: null } }, tail),
  },
  envitemnull: {
    files: onto({ a: { image: 'x', environment: { A: 1 } } }, { a: { environment: { A: null } } }, tail),
  },
  over_envlist: {
    files: onto(
      { a: { image: 'x', environment: ['A=1', 'B=2'] } },
      { a: { environment: { A: 3, C: null } } },
      tail,
    ),
  },
  hcnull: {
    files: onto({ a: { image: 'x', healthcheck: { test: 'x' } } }, { a: { healthcheck: null } }, tail),
  },
  volnull: { files: onto({ a: { image: 'x', volumes: ['/tmp:/y'] } }, { a: { volumes: null } }, tail) },
  imgnull: { files: onto({ a: { image: 'x' } }, { a: { image: null } }, tail) },
  svcnull: { files: onto({ a: { image: 'x' } }, { a: null }, tail) },
  cmdnull: { files: onto({ a: { image: 'x', command: ['a'] } }, { a: { command: null } }, tail) },
  over_cmdstr: { files: onto({ a: { image: 'x', command: ['a'] } }, { a: { command: 'b c' } }, tail) },
  test: {
    files: onto(
      { a: { image: 'x', healthcheck: { test: ['CMD', 'a'], retries: 3 } } },
      { a: { healthcheck: { test: 'b' } } },
      tail,
    ),
  },
  volsame: {
    files: onto(
      { a: { image: 'x', volumes: ['/tmp:/y', '/usr:/q/'] } },
      { a: { volumes: ['/var:/y/:ro', '/opt:/q'] } },
      tail,
    ),
  },
  volsame2: { files: onto({ a: { image: 'x', volumes: ['/tmp:/y', '/usr:/y'] } }, {}, tail) },
  ports: {
    files: onto(
      { a: { image: 'x', ports: ['80:80', '127.0.0.1:82:81'] } },
      { a: { ports: ['80:80', '90:80', '83:81'] } },
      tail,
    ),
  },
  portlong: {
    files: onto(
      { a: { image: 'x', ports: ['80:80'] } },
      { a: { ports: [{ target: 80, published: '80' }] } },
      tail,
    ),
  },
  nets: {
    files: onto({ a: { image: 'x', networks: ['n'] } }, { a: { networks: { m: { aliases: ['q'] } } } }, tail),
  },
  maplist: {
    files: onto({ a: { image: 'x', labels: { A: '1' } } }, { a: { labels: ['B=2', 'A=3'] } }, tail),
  },
  kind: {
    files: onto({ a: { image: 'x', healthcheck: { test: 'x' } } }, { a: { healthcheck: ['x'] } }, tail),
  },
  kind2: { files: onto({ a: { image: 'x', volumes: ['/tmp:/y'] } }, { a: { volumes: '/usr:/q' } }, tail) },
  xs: { files: onto({ a: { image: 'x', 'x-e': { A: 1, B: 2 } } }, { a: { 'x-e': { A: 3 } } }, tail) },
  dns: { files: onto({ a: { image: 'x', dns: '1.1.1.1' } }, { a: { dns: ['2.2.2.2', '1.1.1.1'] } }, tail) },
  tmpfs: { files: onto({ a: { image: 'x', tmpfs: '/a' } }, { a: { tmpfs: ['/b', '/a'] } }, tail) },
  cap: {
    differs: 'an entry twice is dropped here',
    files: onto(
      { a: { image: 'x', cap_drop: ['ALL'], security_opt: ['a'] } },
      { a: { cap_drop: ['ALL', 'X'], security_opt: ['a', 'b'] } },
      tail,
    ),
  },
  over_build: { files: onto({ a: { build: '.' } }, { a: { build: { target: 't' } } }, tail) },
  logging: {
    files: onto(
      { a: { image: 'x', logging: { driver: 'a', options: { x: '1' } } } },
      { a: { logging: { driver: 'b', options: { y: '1' } } } },
      tail,
    ),
  },
  profiles: { files: onto({ a: { image: 'x', profiles: ['p'] } }, { a: { profiles: ['q', 'p'] } }, tail) },
  secrets: {
    files: onto(
      { a: { image: 'x', secrets: ['s'] } },
      {
        a: {
          secrets: [
            { source: 's', target: 's' },
            { source: 's', target: 't' },
          ],
        },
      },
      tail,
    ),
  },
  expose: { files: onto({ a: { image: 'x', expose: [80] } }, { a: { expose: ['80', '81'] } }, tail) },
  extrahosts: {
    files: onto(
      { a: { image: 'x', extra_hosts: { h: '1.1.1.1' } } },
      { a: { extra_hosts: ['h=2.2.2.2', 'g:3.3.3.3'] } },
      tail,
    ),
  },
  envfiles: {
    files: onto({ a: { image: 'x', env_file: 'a.env' } }, { a: { env_file: ['b.env', 'a.env'] } }, tail),
  },
  scaled: { files: onto({ a: { image: 'x', scale: 2 } }, { a: { deploy: { replicas: 3 } } }, tail) },
  scaled1: { files: onto({ a: { image: 'x', scale: 1 } }, {}, tail) },
  cname: { files: onto({ a: { image: 'x', network_mode: 'service:b' }, b: { image: 'x' } }, {}, tail) },
  ipc: {
    differs: 'volumes_from and aliases of links',
    files: onto(
      {
        a: {
          image: 'x',
          ipc: 'service:b',
          pid: 'service:c',
          volumes_from: ['d:ro'],
          links: ['e:E'],
          uts: 'service:b',
        },
        b: { image: 'x' },
        c: { image: 'x' },
        d: { image: 'x' },
        e: { image: 'x' },
      },
      {},
      tail,
    ),
  },
  vfcont: {
    differs: 'volumes_from',
    files: onto({ a: { image: 'x', volumes_from: ['container:d:ro'] } }, {}, tail),
  },
  nmundef: { files: onto({ a: { image: 'x', network_mode: 'service:b' } }, {}, tail) },
  linkundef: { files: onto({ a: { image: 'x', links: ['b'] } }, {}, tail) },
  nmnets: { files: onto({ a: { image: 'x', network_mode: 'host', networks: ['n'] } }, {}, tail) },
  nminactive: {
    files: onto(
      { a: { image: 'x', network_mode: 'service:b' }, b: { image: 'x', profiles: ['p'] } },
      {},
      tail,
    ),
  },
  depinactive: {
    files: onto({ a: { image: 'x', depends_on: ['b'] }, b: { image: 'x', profiles: ['p'] } }, {}, tail),
  },
  depinactivereq: {
    files: onto(
      {
        a: { image: 'x', depends_on: { b: { condition: 'service_started', required: false } } },
        b: { image: 'x', profiles: ['p'] },
      },
      {},
      tail,
    ),
  },
  depprofile: {
    files: onto({ a: { image: 'x', profiles: ['p'], depends_on: ['zz'] }, b: { image: 'x' } }, {}, tail),
  },
  hcnotest: { files: onto({ a: { image: 'x', healthcheck: { interval: '1s' } } }, {}, tail) },
  hcdisable: { files: onto({ a: { image: 'x', healthcheck: { disable: true, test: 'x' } } }, {}, tail) },
  hcstr: {
    files: onto(
      { a: { image: 'x', healthcheck: { test: 'x y', retries: '3', interval: '5', timeout: 5 } } },
      {},
      tail,
    ),
  },
  hcnum: {
    differs: 'a part of a retry',
    files: onto({ a: { image: 'x', healthcheck: { test: 'x y', retries: 3.5 } } }, {}, tail),
  },
  hcneg: { files: onto({ a: { image: 'x', healthcheck: { test: 'x y', retries: -1 } } }, {}, tail) },
  hcint: { files: onto({ a: { image: 'x', healthcheck: { test: 'x y', timeout: 5 } } }, {}, tail) },
  hcdur: {
    files: onto(
      {
        a: {
          image: 'x',
          healthcheck: {
            test: 'x y',
            timeout: '1h30m2s500ms',
            interval: '1.5m',
            start_period: '1d',
            start_interval: '1us',
          },
        },
      },
      {},
      tail,
    ),
  },
  hcdur2: {
    differs: 'a negative time',
    files: onto({ a: { image: 'x', healthcheck: { test: 'x y', timeout: '-5s' } } }, {}, tail),
  },
  hcdur3: {
    files: onto(
      { a: { image: 'x', healthcheck: { test: 'x y', timeout: '.5s', interval: '0', start_period: '5ns' } } },
      {},
      tail,
    ),
  },
  hcdur4: { files: onto({ a: { image: 'x', healthcheck: { test: 'x y', timeout: '1w2d' } } }, {}, tail) },
  hcempty: { files: onto({ a: { image: 'x', healthcheck: { test: [] } } }, {}, tail) },
  hcnone: { files: onto({ a: { image: 'x', healthcheck: { test: ['NONE'] } } }, {}, tail) },
  hcnonestr: { files: onto({ a: { image: 'x', healthcheck: { test: 'NONE' } } }, {}, tail) },
  hcbad: { files: onto({ a: { image: 'x', healthcheck: { test: ['x', 'y'] } } }, {}, tail) },
  restart: {
    differs: 'a policy that the engine refuses',
    files: onto({ a: { image: 'x', restart: 'sometimes' } }, {}, tail),
  },
  restartfalse: { files: onto({ a: { image: 'x', restart: false } }, {}, tail) },
  restartof: {
    differs: 'a policy that the engine refuses',
    files: onto({ a: { image: 'x', restart: 'on-failure:x' } }, {}, tail),
  },
  stopg: { files: onto({ a: { image: 'x', stop_grace_period: '5' } }, {}, tail) },
  stopgi: { files: onto({ a: { image: 'x', stop_grace_period: 5 } }, {}, tail) },
  stopsig: {
    differs: 'a signal that the engine refuses',
    files: onto({ a: { image: 'x', stop_signal: 'FOO' } }, {}, tail),
  },
  unknown: { files: onto({ a: { image: 'x', foo: 1 } }, {}, tail) },
  prof: {
    differs: 'a name that no one could choose',
    files: onto({ a: { image: 'x', profiles: ['p q'] } }, {}, tail),
  },
  profstr: { files: onto({ a: { image: 'x', profiles: 'p' } }, {}, tail) },
  svcname: { files: onto({ 'a b': { image: 'x' } }, {}, tail) },
  svcname2: { differs: 'a name that is no folder name', files: onto({ '-a': { image: 'x' } }, {}, tail) },
  svcname3: { files: onto({ 'A.b_c': { image: 'x' } }, {}, tail) },
  secundef: { files: onto({ a: { image: 'x', secrets: ['s0'] } }, {}, tail) },
  cfgundef: { files: onto({ a: { image: 'x', configs: ['s0'] } }, {}, tail) },
  short: {
    files: {
      'compose.yaml': `include: [sub/c.yaml]\n${main}`,
      'sub/c.yaml':
        'services:\n  b:\n    image: y\n    volumes: ["./d:/d"]\n    environment: {V: "${V}", W: , M: "a$$b"}\n    env_file: e.env\nsecrets: {s: {file: ./s}}\n',
      'sub/.env': 'V=sub\nW=w\nQ=q\n',
      '.env': 'V=main\n',
      'sub/e.env': 'E=$Q-$V\n',
    },
  },
  shortnoenv: {
    files: {
      'compose.yaml': `include: [sub/c.yaml]\n${main}`,
      'sub/c.yaml': 'services:\n  b:\n    image: y\n    environment: {V: "${V}", W: , M: "a$$b"}\n',
      'sub/.env': 'V=sub\nW=w\n',
    },
  },
  long: {
    files: {
      'compose.yaml':
        'include:\n  - path: [sub/c.yaml, sub/o.yaml]\n    project_directory: other\n    env_file: [my.env, sub/x.env]\n' +
        main,
      'sub/c.yaml':
        'services:\n  b:\n    image: y\n    volumes: ["./d:/d"]\n    environment: {V: "${V}", X: "${X}"}\n',
      'sub/o.yaml': 'services:\n  b:\n    image: z\n',
      'my.env': 'V=my\nX=1\n',
      'sub/x.env': 'X=2\n',
    },
  },
  conflict: {
    files: { 'compose.yaml': `include: [c.yaml]\n${main}`, 'c.yaml': 'services:\n  a:\n    image: y\n' },
  },
  conflictsame: {
    files: {
      'compose.yaml': 'include: [c.yaml]\nservices:\n  a:\n    image: y\n',
      'c.yaml': 'services:\n  a:\n    image: y\n',
    },
  },
  conflictsame2: {
    files: {
      'compose.yaml': 'include: [c.yaml]\nservices:\n  a:\n    image: y\n    environment: [A=1]\n',
      'c.yaml': 'services:\n  a:\n    image: y\n    environment: {A: 1}\n',
    },
  },
  override: {
    files: {
      'compose.yaml': 'include: [c.yaml]\n',
      'compose.override.yaml': 'services:\n  b:\n    environment: {Z: 1}\n',
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
  },
  nested: {
    files: {
      'compose.yaml': `include: [s/c.yaml]\n${main}`,
      's/c.yaml': 'include: [t/d.yaml]\nservices:\n  b:\n    image: y\n    depends_on: [c]\n',
      's/t/d.yaml': 'services:\n  c:\n    image: z\n    volumes: [./k:/k]\n    environment: {P: "p$$q"}\n',
    },
  },
  cycle: {
    files: {
      'compose.yaml': `include: [c.yaml]\n${main}`,
      'c.yaml': 'include: [compose.yaml]\nservices:\n  b:\n    image: y\n',
    },
  },
  missing: { files: { 'compose.yaml': `include: [c.yaml]\n${main}` } },
  missingenv: {
    files: {
      'compose.yaml': `include: [{path: c.yaml, env_file: nope.env}]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
  },
  varpath: {
    files: {
      'compose.yaml': `include: ["\${P}.yaml"]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
    environment: { P: 'c' },
  },
  string: {
    files: { 'compose.yaml': `include: c.yaml\n${main}`, 'c.yaml': 'services:\n  b:\n    image: y\n' },
  },
  emptyinc: { files: { 'compose.yaml': `include:\n${main}` } },
  incname: {
    files: {
      'compose.yaml': `include: [c.yaml]\n${main}`,
      'c.yaml': 'name: foo\nservices:\n  b:\n    image: y\n',
    },
  },
  incdup: {
    files: {
      'compose.yaml': `include: [c.yaml, d.yaml]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n',
      'd.yaml': 'include: [c.yaml]\nservices:\n  e:\n    image: y\n',
    },
  },
  incpartial: {
    files: {
      'compose.yaml': 'include: [c.yaml]\nservices:\n  a:\n    image: x\nvolumes: {vol: }\n',
      'c.yaml': 'services:\n  b:\n    image: y\n    depends_on: [a]\n    volumes: ["vol:/v"]\n',
    },
  },
  incdir: {
    files: {
      'compose.yaml': `include: [{path: c.yaml, project_directory: nodir}]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n    volumes: ["./v:/v"]\n',
    },
  },
  incunknown: {
    differs: 'unknown keys are slips',
    files: {
      'compose.yaml': `include: [{path: c.yaml, foo: nodir}]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
  },
  incnopath: {
    differs: 'nothing to include',
    files: {
      'compose.yaml': `include: [{env_file: c.yaml}]\n${main}`,
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
  },
  incoverride: {
    files: {
      'compose.yaml': main,
      'compose.override.yaml': 'include: [c.yaml]\nservices: {b: {command: q}}\n',
      'c.yaml': 'services:\n  b:\n    image: y\n',
    },
  },
  ext: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: x\n    extends: b\n    command: [c]\n    environment: {A: 1}\n  b:\n    image: y\n    environment: [B=2, A=0]\n    volumes: [./q:/q]\n    ports: ["1:1"]\n    depends_on: [c]\n    profiles: [p]\n    healthcheck: {test: x, retries: 3}\n    labels: [l=1]\n  c: {image: z}\n',
    },
  },
  extfile: {
    files: {
      'compose.yaml': 'services:\n  a:\n    extends: {file: s/b.yaml, service: b}\n    environment: {A: 1}\n',
      's/b.yaml':
        'services:\n  b:\n    extends: {file: t/c.yaml, service: c}\n    image: y\n    env_file: e.env\n    build: .\n',
      's/e.env': 'E=1\n',
      's/t/c.yaml':
        'services:\n  c:\n    image: z\n    volumes: [./v:/v]\n    build: {context: ./bb, target: t}\n',
    },
  },
  extchain: {
    files: {
      'compose.yaml': 'services:\n  a: {extends: b}\n  b: {extends: c, command: x}\n  c: {image: z}\n',
    },
  },
  extcycle: { files: { 'compose.yaml': 'services:\n  a: {extends: b}\n  b: {extends: a, command: x}\n' } },
  extself: { files: { 'compose.yaml': 'services:\n  a: {image: x, extends: a}\n' } },
  extmiss: { files: { 'compose.yaml': 'services:\n  a: {image: x, extends: b}\n' } },
  extmissf: {
    files: { 'compose.yaml': 'services:\n  a: {image: x, extends: {file: q.yaml, service: b}}\n' },
  },
  extmisss: {
    files: {
      'compose.yaml': 'services:\n  a: {image: x, extends: {file: q.yaml, service: b}}\n',
      'q.yaml': 'services: {c: {image: x}}',
    },
  },
  extnull: {
    differs: 'nothing to extend',
    files: {
      'compose.yaml': 'services:\n  a: {image: x, extends: {file: q.yaml, service: b}}\n',
      'q.yaml': 'services: {b: }',
    },
  },
  extreset: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    extends: b\n    ports: !reset []\n    environment: !override {Z: 1}\n    command: !reset null\n  b:\n    image: y\n    ports: ["1:1"]\n    environment: {A: 1}\n    command: q\n',
    },
  },
  reset: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: y\n    ports: ["1:1"]\n    environment: {A: 1, B: 2}\n    volumes: ["/etc:/b"]\n',
      'compose.override.yaml':
        'services:\n  a:\n    ports: !override ["2:2"]\n    environment:\n      A: !reset null\n      C: 3\n    volumes: !reset []\n',
    },
  },
  reset2: {
    files: {
      'compose.yaml': 'services:\n  a:\n    image: y\n    ports: ["1:1"]\n  b: {image: z}\n',
      'compose.override.yaml': 'services:\n  a:\n    ports: [!reset "1:1", "3:3"]\n  b: !reset null\n',
    },
  },
  reset3: {
    files: {
      'compose.yaml': 'x-p: &p !override ["3:3"]\nservices:\n  a:\n    image: y\n    ports: ["1:1"]\n',
      'compose.override.yaml':
        'x-p: &p !override ["3:3"]\nx-m: &m {command: !reset null}\nservices:\n  a:\n    <<: *m\n    ports: *p\n',
    },
  },
  resetfirst: {
    files: {
      'compose.yaml':
        'services:\n  a:\n    image: y\n    ports: !reset ["1:1"]\n    command: !override [x]\n',
    },
  },
  extov: {
    files: {
      'compose.yaml': 'services:\n  a: {image: x}\n',
      'compose.override.yaml': 'services:\n  b: {extends: a}\n',
    },
  },
  extx: {
    files: { 'compose.yaml': 'services:\n  a: {image: x, extends: {service: b, foo: 1}}\n  b: {image: y}\n' },
  },
  extint: { files: { 'compose.yaml': 'services:\n  a: {image: x, extends: 5}\n  b: {image: y}\n' } },
  two: {
    files: {
      'compose.yaml': y('    env_file: [a.env, b.env]\n    environment: {C: 2, N: , M: }\n'),
      'a.env': 'A=1\nX=a\nN=fromfile\n',
      'b.env': 'B=$A\nX=b\nD=$C\nE=$P\nP2=$P\nY\nZ=$Z\n',
    },
    environment: { P: 'env', Y: 'why', X: 'envX' },
  },
  envwins: {
    files: {
      'compose.yaml': y('    env_file: a.env\n'),
      'a.env': 'A=1\nB=$A\nC=${D:-x}\nD=5\n',
      '.env': 'A=9\nD=8\n',
    },
  },
  ef_missing: { files: { 'compose.yaml': y('    env_file: q.env\n') } },
  notreq: { files: { 'compose.yaml': y('    env_file: [{path: q.env, required: false}]\n') } },
  reqstr: { files: { 'compose.yaml': y('    env_file: [{path: q.env, required: "false"}]\n') } },
  raw: {
    files: {
      'compose.yaml': y('    env_file: [{path: a.env, format: raw}]\n'),
      'a.env': 'A="x" # c\nB=$A\\t\n# c\n  C = 1\nexport D=2\nE\nF=\'q\'\n',
    },
    environment: { E: 'env' },
  },
  raw2: {
    files: {
      'compose.yaml': y('    env_file: [{path: a.env, format: raw}]\n'),
      'a.env': '\uFEFFA="x" # c\r\n  B=$A\\t  \n\t# c\nG=\nE\nEE\nF=\'q\'\nH=a=b\n  I=1',
    },
    environment: { E: 'env' },
  },
  raw3: { files: { 'compose.yaml': y('    env_file: [{path: a.env, format: raw}]\n'), 'a.env': '=1\n' } },
  raw4: { files: { 'compose.yaml': y('    env_file: [{path: a.env, format: raw}]\n'), 'a.env': 'A B\n' } },
  fmt: { files: { 'compose.yaml': y('    env_file: [{path: a.env, format: foo}]\n'), 'a.env': 'A=1\n' } },
  map: { files: { 'compose.yaml': y('    env_file: {path: a.env}\n'), 'a.env': 'A=1\n' } },
  unk: { files: { 'compose.yaml': y('    env_file: [{path: a.env, foo: 1}]\n'), 'a.env': 'A=1\n' } },
  bad: { files: { 'compose.yaml': y('    env_file: a.env\n'), 'a.env': 'A="1\n' } },
  dir: { files: { 'compose.yaml': y('    env_file: .\n') } },
  null: { files: { 'compose.yaml': y('    env_file:\n') } },
  empty: { files: { 'compose.yaml': y('    env_file: []\n') } },
  emptystr: { files: { 'compose.yaml': y('    env_file: ""\n') } },
  tilde: { files: { 'compose.yaml': y('    env_file: ~/nope.env\n') } },
  inactive: {
    files: {
      'compose.yaml': 'services:\n  a: {image: x}\n  b: {image: y, profiles: [p], env_file: nope.env}\n',
    },
  },
  inherit: {
    files: {
      'compose.yaml': y('    environment: {V: , W: }\n    env_file: a.env\n'),
      'a.env': 'W=file\nV=file\n',
      '.env': 'V=dot\n',
    },
  },
  cfile: {
    files: { '.env': 'COMPOSE_FILE=a.yml:b.yml\n', 'a.yml': y(), 'b.yml': 'services: {a: {command: q}}' },
  },
  cfilesub: {
    files: {
      '.env': 'COMPOSE_FILE=s/a.yml\nV=root\nW=root\n',
      's/a.yml': y('    volumes: [./v:/v]\n    environment: {V: "${V}", U: "${U}"}\n'),
      's/.env': 'V=sub\nU=sub\n',
    },
  },
  cfilesep: {
    files: {
      '.env': 'COMPOSE_FILE=a.yml;b.yml\nCOMPOSE_PATH_SEPARATOR=;\n',
      'a.yml': y(),
      'b.yml': 'services: {a: {command: q}}',
    },
  },
  cfileenv: {
    files: { '.env': 'COMPOSE_FILE=a.yml\n', 'a.yml': y(), 'b.yml': y('    command: q\n') },
    environment: { COMPOSE_FILE: 'b.yml' },
  },
  cfileempty: { files: { '.env': 'COMPOSE_FILE=\n', 'compose.yaml': y() } },
  cfileemptyp: { files: { '.env': 'COMPOSE_FILE=a.yml:\n', 'a.yml': y() } },
  cfilemiss: { files: { '.env': 'COMPOSE_FILE=q.yml\n', 'compose.yaml': y() } },
  cfilespace: {
    files: { '.env': 'COMPOSE_FILE=a.yml: b.yml\n', 'a.yml': y(), 'b.yml': 'services: {a: {command: q}}' },
  },
  names: {
    files: {
      'compose.yaml': y(),
      'compose.yml': y('    command: yml\n'),
      'docker-compose.yml': y('    command: dyml\n'),
      'compose.override.yml': 'services: {a: {command: oyml}}',
      'compose.override.yaml': 'services: {a: {command: oyaml}}',
    },
  },
  names2: {
    files: {
      'docker-compose.yaml': y(),
      'docker-compose.yml': y('    command: yml\n'),
      'docker-compose.override.yaml': 'services: {a: {user: oyaml}}',
    },
  },
  names3: { files: { 'compose.yml': y(), 'docker-compose.override.yml': 'services: {a: {user: oyaml}}' } },
  ef_envfiles: {
    differs: '.env has to be among them',
    files: {
      'compose.yaml': y('    environment: {V: "${V}", W: "${W}", X: "${X}"}\n'),
      'a.env': 'V=a\nW=a\n',
      'b.env': 'W=b\nX=$V$W\n',
      '.env': 'V=dot\nX=dot\n',
    },
    environment: { COMPOSE_ENV_FILES: 'a.env,b.env' },
  },
  envfilesdot: {
    files: {
      'compose.yaml': y('    environment: {V: "${V}"}\n'),
      'a.env': 'V=a\n',
      '.env': 'V=dot\nCOMPOSE_ENV_FILES=a.env\n',
    },
  },
  disable: {
    differs: '.env is always read',
    files: { 'compose.yaml': y('    environment: {V: "${V}"}\n'), '.env': 'V=dot\n' },
    environment: { COMPOSE_DISABLE_ENV_FILE: '1' },
  },
  disabledot: {
    differs: '.env is always read',
    files: {
      'compose.yaml': y('    environment: {V: "${V}"}\n'),
      '.env': 'V=dot\nCOMPOSE_DISABLE_ENV_FILE=1\n',
    },
  },
  pname: {
    files: {
      'compose.yaml': `name: n-\${COMPOSE_PROJECT_NAME:-x}\n${y('    environment: {V: "${COMPOSE_PROJECT_NAME}"}\n')}`,
      '.env': 'COMPOSE_PROJECT_NAME=dot\n',
    },
  },
  pname2: {
    files: {
      '.env': '',
      'compose.yaml': `name: n-\${COMPOSE_PROJECT_NAME:-x}\n${y('    environment: {V: "${COMPOSE_PROJECT_NAME}", U: }\n')}`,
    },
  },
  pname3: {
    files: {
      'compose.yaml': y('    environment: {V: "${COMPOSE_PROJECT_NAME}", COMPOSE_PROJECT_NAME: }\n'),
      '.env': 'COMPOSE_PROJECT_NAME=\n',
    },
  },
  pname4: { files: { 'compose.yaml': y(), '.env': 'COMPOSE_PROJECT_NAME=Bad Name\n' } },
  pname5: {
    files: { 'compose.yaml': y(), 'compose.override.yaml': 'name: over\nservices: {a: {command: q}}\n' },
  },
  pname6: { files: { 'compose.yaml': `name: "Bad Name"\n${y()}` } },
  pname7: { files: { 'compose.yaml': `name: ""\n${y()}` } },
  pname8: { files: { 'compose.yaml': `name: 123\n${y()}` } },
  pname9: { files: { 'compose.yaml': `name: one\n${y()}---\nname: two\n` } },
  ef_profiles: {
    files: {
      'compose.yaml':
        'services:\n  a: {image: x}\n  b: {image: y, profiles: [p]}\n  c: {image: y, profiles: [q]}\n',
      '.env': 'COMPOSE_PROFILES=p, q\n',
    },
  },
  envsub: { files: { 'compose.yaml': y(), '.env': 'COMPOSE_FILE=${X:-compose.yaml}\n' } },
};
