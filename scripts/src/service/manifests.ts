import { UsageError } from '../errors.ts';

/** What the project calls its own packages. */
export const scope = '@lockstep';

interface Manifest {
  workspaces?: string[];
}

interface LockFile {
  packages?: Record<string, Record<string, unknown> & { workspaces?: string[] }>;
}

/** The package.json of a new service, as an object. */
export function serviceManifest(name: string, chassisVersion: string) {
  return {
    name: `${scope}/${name}`,
    version: '0.1.0',
    private: true,
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    exports: './src/index.ts',
    dependencies: { [`${scope}/chassis`]: chassisVersion },
  };
}

/** Adds the workspace `name` to the text of the project's package.json. */
export function addWorkspace(text: string, name: string): string {
  const manifest = parse<Manifest>('package.json', text);
  if (manifest.workspaces?.includes(name)) return text;
  manifest.workspaces = [...(manifest.workspaces ?? []), name];
  return render(manifest, text);
}

/**
 * Adds the workspace to the text of a lock file of npm, exactly as npm itself would: `npm ci` then finds both in step,
 * and no registry is asked. The same holds for node_modules/.package-lock.json, which has no entry for the project.
 */
export function addToLock(text: string, { manifest, file }: { manifest: object; file: string }): string {
  const lock = parse<LockFile>(file, text);
  const { name: scoped, version, license, dependencies } = manifest as ReturnType<typeof serviceManifest>;
  const folder = scoped.slice(scope.length + 1);
  const packages = lock.packages ?? {};
  const link = `node_modules/${scoped}`;
  const root = packages[''];
  if (packages[folder] !== undefined && packages[link] !== undefined) {
    if (root === undefined || root.workspaces?.includes(folder)) return text;
  }
  if (root !== undefined && !root.workspaces?.includes(folder)) {
    root.workspaces = [...(root.workspaces ?? []), folder];
  }
  packages[folder] ??= { name: scoped, version, license, dependencies };
  packages[link] ??= { resolved: folder, link: true };
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return render({ ...lock, packages: Object.fromEntries(sorted) }, text);
}

function parse<T>(file: string, text: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  } catch (error) {
    throw new UsageError(`${file} is not JSON`, {
      evidence: [error instanceof Error ? error.message : String(error)],
    });
  }
  throw new UsageError(`${file} is not a JSON object`);
}

/** As npm writes: with the indent and the line ends that the text has. */
function render(value: object, like: string): string {
  const indent = /^[{[]\r?\n([ \t]+)/.exec(like)?.[1] ?? '  ';
  const text = `${JSON.stringify(value, null, indent)}\n`;
  return like.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}
