import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const workspace = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Bundles the stack's two programs from the source as it is now, so that no test runs against an old build, and returns
 * the path of `stack.js`. Inside node_modules, from where the Postgres package is found.
 */
export async function buildStack(): Promise<string> {
  const outdir = join(workspace, 'node_modules', '.cache', 'stack-under-test');
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: join(workspace, '..'),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    splitting: true,
    outdir,
    entryPoints: {
      stack: 'scripts/src/start.ts',
      supervisor: 'scripts/src/engines/embedded/supervisor-main.ts',
    },
    external: ['pg-native'],
    define: { LOCKSTEP_VERSION: '"0.0.0-test"' },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return join(outdir, 'stack.js');
}
