import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nameOf } from './command.ts';
import { commandGroups } from './commands/commands.ts';
import { completionFor, shells } from './completion.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-completion-'));
const script = join(folder, 'migrate.bash');
writeFileSync(script, completionFor('bash'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash itself offers for the last of `words`. */
function offered(...words: string[]): string[] {
  const line = `source "$1"; shift; COMP_WORDS=(migrate "$@"); COMP_CWORD=$#; _migrate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', line, 'bash', script, ...words], { encoding: 'utf8' });
  return out.split('\n').filter((word) => word !== '');
}

// Each question starts a bash, and the machine may be busy.
test('bash completes commands, their options, and the values of settings', { timeout: 60_000 }, () => {
  expect(offered('roll')).toEqual(['rollback']);
  expect(offered('--environment', 'staging', 'up', '--app').sort()).toEqual([
    '--approach',
    '--approval',
    '--approved',
  ]);
  expect(offered('status', '--app').sort()).toEqual(['--approach', '--approval']);
  expect(offered('up', '--environment', 'p')).toEqual(['production']);
  expect(offered('completion', 'f')).toEqual(['fish']);
  expect(offered('up', '--timeout', '')).toEqual([]);
});

test.each(shells)('%s is told of every command', (shell) => {
  const text = completionFor(shell);
  for (const command of Object.values(commandGroups).flat()) expect(text).toContain(nameOf(command));
});
