// Writes docs/cli.md from the programs' own --help: `npm run docs:cli`. `--check` only says whether it is current.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const programs = [
  ['make', undefined],
  ['migrate', 'migrations/dist/migrate.cjs'],
  ['stack', 'scripts/dist/stack.js'],
  ['vault-bootstrap', 'vault/dist/bootstrap.cjs'],
  ['dev-vault', 'vault/dist/dev-vault.cjs'],
];

const help = (file, args = []) =>
  execFileSync(process.execPath, [join(root, file), ...args, '--help'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, COLUMNS: '100', NO_COLOR: '1' },
  }).trimEnd();

/** The names under `Commands:` in a program's help. */
const commandsIn = (text) => {
  const section = text.split(/^Commands:\n/m)[1]?.split(/\n\n/)[0] ?? '';
  return [...section.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== 'help');
};

const block = (title, level, text) => `${'#'.repeat(level)} ${title}\n\n\`\`\`\n${text}\n\`\`\`\n`;

const sections = [
  `# Commands

Generated from each program's \`--help\` by \`npm run docs:cli\`; do not edit.

## Exit status

Every program of the project ends with one of these.

| status | meaning |
|---|---|
| 0 | done; also: nothing to do |
| 1 | a migration (or a service) failed |
| 2 | usage or configuration |
| 3 | pre-flight failed, or a dependency (Postgres, Vault, a secret, an engine) was not there in time |
| 4 | the lock was not free in time |
| 5 | dirty |
| 6 | edited, missing or out of order, the receipt and the history disagree, or the schema is not compliant |
| 7 | approval or confirmation missing |
| 8 | the deadline passed while migrating |
| 130, 143 | interrupted: rolled back, lock released |

A make target ends with make's own 2, whatever failed; its last line names the program's status: \`make: *** [...] Error 6\`. To
test the status, call the program: \`node scripts/dist/stack.js migrate status\` is \`make db-migrate-status\`.
`,
];
for (const [name, file] of programs) {
  if (file === undefined) {
    const text = execFileSync('make', ['--no-print-directory', '-C', root, 'help'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, NO_COLOR: '1' },
    });
    sections.push(block(name, 2, text.trimEnd()));
    continue;
  }
  const text = help(file);
  sections.push(block(name, 2, text));
  for (const command of commandsIn(text))
    sections.push(block(`${name} ${command}`, 3, help(file, [command])));
}

const target = join(root, 'docs/cli.md');
const wanted = sections.join('\n');
if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== wanted) {
    console.error('docs/cli.md is not what the programs say\n  try: npm run docs:cli');
    process.exit(1);
  }
} else await writeFile(target, wanted);
