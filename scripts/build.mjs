// Bundles every program of the project with esbuild: `npm run build`. Prints each file's size.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

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
  define: { LOCKSTEP_VERSION: JSON.stringify(version) },
  // pg's optional native binding is never installed.
  external: ['pg-native'],
};

/** One CommonJS file each: starts faster than an ES module of the same code, and an image needs nothing beside it. */
const programs = {
  'migrations/dist/migrate': 'migrations/src/cli.ts',
  'vault/dist/bootstrap': 'vault/src/bootstrap/cli.ts',
  'vault/dist/dev-vault': 'vault/src/embedded/cli.ts',
  'services-api/dist/server': 'services-api/src/server.ts',
  'content-api/dist/server': 'content-api/src/server.ts',
};

const results = await Promise.all([
  build({
    ...shared,
    entryPoints: programs,
    outdir: '.',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  }),
  // The stack's commands stay ES modules with chunks, so that a command loads only what it needs.
  build({
    ...shared,
    entryPoints: {
      stack: 'scripts/src/cli.ts',
      supervisor: 'scripts/src/engines/embedded/supervisor-main.ts',
    },
    outdir: 'scripts/dist',
    format: 'esm',
    splitting: true,
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  }),
]);

for (const { metafile } of results) {
  for (const [file, { bytes, entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) console.log(`${file.padEnd(36)} ${(bytes / 1024).toFixed(0).padStart(6)} kB`);
  }
}
