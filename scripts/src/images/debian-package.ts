import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../environment.ts';
import { PreflightError, systemCode, systemReason } from '../errors.ts';

const run = promisify(execFile);

/**
 * Fetches a Debian package with apt and unpacks it below `folder`, without installing it; what was unpacked before is taken
 * as it is.
 *
 * @param why what it is needed for: the first line of the failure
 * @returns the folder with the package's files
 * @throws {PreflightError} naming the package when this machine has no apt or apt cannot fetch it
 */
export async function fetchPackage(name: string, folder: string, why: string): Promise<string> {
  const unpacked = join(folder, name);
  if (existsSync(unpacked)) return unpacked;
  const beside = join(folder, `${name}.${process.pid}.new`);
  const env = { ...inheritedEnvironment(), LC_ALL: 'C' };
  try {
    mkdirSync(join(beside, 'root'), { recursive: true });
    // As the user who runs this: apt's own user may not get into the folder.
    await run('apt-get', ['--quiet', '--option', 'APT::Sandbox::User=', 'download', name], {
      cwd: beside,
      env,
    });
    const file = readdirSync(beside).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get wrote no file');
    await run('dpkg-deb', ['--extract', file, 'root'], { cwd: beside, env });
    rmSync(unpacked, { recursive: true, force: true });
    renameSync(join(beside, 'root'), unpacked);
    return unpacked;
  } catch (error) {
    throw new PreflightError(why, {
      evidence: [
        `the Debian package ${name} was neither installed nor could it be fetched: ${reasonOf(error)}`,
      ],
      hint: `apt-get install ${name}`,
      cause: error,
    });
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** The packages a package depends on, as far as apt knows; none when there is no apt. */
export async function dependenciesOf(name: string): Promise<string[]> {
  try {
    const { stdout } = await run('apt-cache', ['depends', name], {
      env: { ...inheritedEnvironment(), LC_ALL: 'C' },
    });
    return stdout
      .split('\n')
      .flatMap((line) => /^ \|?\s*Depends: ([a-z0-9][a-z0-9.+-]*)/.exec(line)?.[1] ?? []);
  } catch {
    return [];
  }
}

function reasonOf(error: unknown): string {
  if (systemCode(error) === 'ENOENT') return 'this machine has no apt-get';
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return (
    stderr
      .split('\n')
      .find((line) => line.startsWith('E: '))
      ?.slice(3) ?? systemReason(error)
  );
}
