// Bundles the project's programs with esbuild and prints each file's size: `npm run build` for all,
// `npm run build -- migrate bootstrap` for those named; with `--watch` the programs are built again whenever a source changes.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';
import { writeCodeCache } from './build/code-cache.mjs';
import { lazyBuiltins } from './build/lazy-builtins.mjs';
import { reasons, remedy, renderProblem } from './build/machine.mjs';

// What the system refuses, such as a full disk, in a line as every program says it.
process.on('uncaughtException', (error) => {
  const { code, path = root } = error;
  if (reasons[code] === undefined) console.error(error);
  else {
    const fact = `cannot write ${path}: ${reasons[code]}`;
    process.stderr.write(renderProblem('build', { fact, ...remedy(path, code) }));
  }
  process.exit(reasons[code] === undefined ? 1 : 3);
});

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  define: {
    LOCKSTEP_VERSION: JSON.stringify(version),
    // pg asks whether it runs on Cloudflare; without a navigator (Node 20) it loads all of fetch to find out.
    navigator: JSON.stringify({ userAgent: 'Node.js' }),
  },
  // pg's optional native binding is never installed.
  external: ['pg-native'],
};

/** The apps: every folder with a src/server.ts. */
const apps = (await readdir(root)).filter((name) => existsSync(join(root, name, 'src/server.ts'))).sort();

/**
 * One CommonJS file each, complete by itself: starts faster than an ES module of the same code. `warmUp` are the arguments of the
 * run after which V8's compiled code is kept: it must come as far as it can without a server.
 */
const noServer = 'postgres://user:password@127.0.0.1:1/database';
const programs = {
  migrate: {
    source: 'migrations/src/cli.ts',
    target: 'migrations/dist/migrate',
    warmUp: ['up', '--path', '.', '--database-url', noServer, '--timeout', '60ms'],
  },
  bootstrap: { source: 'vault/src/bootstrap/cli.ts', target: 'vault/dist/bootstrap', warmUp: [] },
  'dev-vault': {
    source: 'vault/src/embedded/cli.ts',
    target: 'vault/dist/dev-vault',
    warmUp: ['server', '--help'],
  },
  ...Object.fromEntries(
    apps.map((name) => [
      name,
      { source: `${name}/src/server.ts`, target: `${name}/dist/server`, warmUp: [] },
    ]),
  ),
};

/** The stack's commands stay an ES module with chunks, so that a command loads only what it needs. */
const stack = 'scripts/src/start.ts';
/** Lives for days: one file, so that a build under it takes nothing away that it still has to load. */
const supervisor = 'scripts/src/engines/embedded/supervisor-main.ts';

/** A library for tests, as one ES module that any runner of any Node can load. */
const testing = 'testing/src/index.ts';

const known = [...Object.keys(programs), 'stack', 'testing'];
const words = process.argv.slice(2).filter((word) => word !== '--watch');
const isWatching = words.length < process.argv.length - 2;
const wanted = words.length > 0 ? words : known;
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`build: no such program: ${unknown.join(', ')}\n  try: npm run build -- ${known.join(' ')}`);
  process.exit(2);
}

async function replaceChanged({ path, contents }) {
  const before = await readFile(path).catch(() => undefined);
  if (before?.equals(contents)) return;
  const beside = `${path}.new`;
  await writeFile(beside, contents);
  await rename(beside, path);
}

const chosen = wanted.filter((name) => name in programs).map((name) => programs[name]);
const ofPrograms = {
  ...shared,
  // node-vault loads axios at its start, although every request goes over vault/src/transport.ts.
  alias: { axios: './vault/absent-axios.cjs' },
  entryPoints: Object.fromEntries(chosen.map(({ source, target }) => [target, source])),
  plugins: [lazyBuiltins],
  outdir: '.',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
};
if (isWatching) {
  // For `stack watch`: the programs are built again on each change until this process is ended; mistakes are printed.
  // What comes out the same is not written, and what is written is whole at once: a start under way reads no half program.
  const writeChanged = {
    name: 'write-changed',
    setup: ({ onEnd }) => onEnd(({ outputFiles = [] }) => Promise.all(outputFiles.map(replaceChanged))),
  };
  const plugins = [...ofPrograms.plugins, writeChanged];
  await (await context({ ...ofPrograms, write: false, plugins })).watch();
  await new Promise(() => {});
}
const builds = [build(ofPrograms)];
const module = {
  ...shared,
  outdir: 'scripts/dist',
  format: 'esm',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};
if (wanted.includes('stack')) {
  builds.push(build({ ...module, entryPoints: { stack }, splitting: true }));
  builds.push(build({ ...module, entryPoints: { supervisor } }));
}
if (wanted.includes('testing')) {
  builds.push(build({ ...module, outdir: 'testing/dist', entryPoints: { index: testing } }));
}
// Postgres' parser finds its WebAssembly beside the program.
if (wanted.includes('migrate')) {
  await mkdir(join(root, 'migrations/dist'), { recursive: true });
  await copyFile(
    createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm'),
    join(root, 'migrations/dist/libpg-query.wasm'),
  );
}
const settled = await Promise.allSettled(builds);
// esbuild has printed every mistake with its place.
if (settled.some(({ status }) => status === 'rejected')) process.exit(1);
const uncached = [...chosen];
const writeCaches = async () => {
  for (let next = uncached.shift(); next !== undefined; next = uncached.shift())
    await writeCodeCache(join(root, `${next.target}.cjs`), next.warmUp);
};
await Promise.all(Array.from({ length: availableParallelism() }, writeCaches));
const results = settled.map(({ value }) => value);

// Chunks of an earlier build, which nothing loads any more.
const written = new Set(results.flatMap(({ metafile }) => Object.keys(metafile.outputs)));
for (const name of wanted.includes('stack') ? await readdir(join(root, 'scripts/dist')) : []) {
  if (name.endsWith('.js') && !written.has(`scripts/dist/${name}`))
    await rm(join(root, 'scripts/dist', name));
}

const sources = [...Object.values(programs).map(({ source }) => source), stack, supervisor, testing];
for (const { metafile } of results) {
  for (const [file, { bytes, entryPoint }] of Object.entries(metafile.outputs)) {
    if (sources.includes(entryPoint))
      console.log(`${file.padEnd(36)} ${(bytes / 1024).toFixed(0).padStart(6)} kB`);
  }
}
