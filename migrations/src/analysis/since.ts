import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../errors.ts';
import { showPath } from '../folder.ts';

/** Names of many files; a folder of a hundred thousand has some 5 MB of them. */
const longestAnswer = 64 * 1024 * 1024;

/**
 * The files of a folder that are new or changed since the commit where `reference` (a branch, tag or commit) and this checkout parted, those
 * that git does not know yet included; as shown to a person.
 *
 * @throws {UsageError} when git is not here, the folder is in no repository, or there is no such reference
 */
export async function changedSince(folder: string, reference: string): Promise<ReadonlySet<string>> {
  if (reference === '' || reference.startsWith('-')) throw notFound(reference, 'it is no name of a commit');
  const commit = await git(folder, reference, 'rev-parse', '--verify', '--quiet', `${reference}^{commit}`);
  const parted = await git(folder, reference, 'merge-base', commit.trim(), 'HEAD').catch(() => commit);
  const names = await Promise.all([
    git(folder, reference, 'diff', '--name-only', '--relative', '-z', parted.trim(), '--', '.'),
    git(folder, reference, 'ls-files', '--others', '--exclude-standard', '-z', '--', '.'),
  ]);
  const files = names.flatMap((text) => text.split('\0')).filter((name) => name !== '');
  return new Set(files.map((name) => showPath(join(folder, name))));
}

async function git(folder: string, reference: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd: folder, maxBuffer: longestAnswer });
    return stdout;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw notFound(reference, 'git is not installed, or the folder is not there');
    const said =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : '';
    throw notFound(reference, said === undefined || said === '' ? 'there is no such commit' : said);
  }
}

function notFound(reference: string, reason: string): UsageError {
  return new UsageError(`--since ${JSON.stringify(reference)}: ${reason}`, 'migrate validate --help');
}
