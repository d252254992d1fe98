// Writes docs/rules.md from the rules of `migrate validate`: `npm run docs:rules`. `--check` only says whether it is current.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'docs/rules.md');
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['migrations/src/analysis/rules/rules-page.ts'],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const source = Buffer.from(outputFiles[0].contents).toString('base64');
const { rulesPage } = await import(`data:text/javascript;base64,${source}`);
const text = rulesPage();
if (process.argv.includes('--check')) {
  const now = await readFile(file, 'utf8').catch(() => '');
  if (now !== text) {
    console.error('docs/rules.md is not current: npm run docs:rules');
    process.exit(1);
  }
} else {
  await writeFile(file, text);
}
