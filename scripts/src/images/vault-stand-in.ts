import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environment, inheritedEnvironment } from '../environment.ts';
import { PreflightError } from '../errors.ts';
import { onPath } from '../on-path.ts';
import { baseSystem } from './base-system.ts';
import { FileTree } from './file-tree.ts';
import { addLibraries, isElf, librariesOf } from './libraries.ts';
import { readImageFile, type StandIn, type StandInTools, vaultReference } from './stand-in.ts';

/** As in the official image. */
const user = { name: 'vault', uid: 100, gid: 1000, home: '/home/vault' };

/** Vault or OpenBao when this machine has one, else the embedded development Vault. */
export async function vaultStandIn(tools: StandInTools, node: StandIn): Promise<StandIn> {
  for (const name of ['vault', 'bao']) {
    const program = onPath(name, environment['PATH']);
    const version = program === undefined || !isElf(program) ? undefined : await versionOf(program);
    if (program !== undefined && version !== undefined) return realVault(tools, program, version);
  }
  return embeddedVault(tools, node);
}

/** What `vault version` says, or undefined when it does not start. */
async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['version'], {
      env: inheritedEnvironment(),
      timeout: 5_000,
    });
    return stdout.trim().split('\n')[0];
  } catch {
    return undefined;
  }
}

async function realVault(
  { root, busybox }: StandInTools,
  program: string,
  version: string,
): Promise<StandIn> {
  const tree = baseSystem(busybox, user)
    .copy('/usr/bin/vault', program, 0o755)
    // VAULT_PROGRAM may call it so.
    .link('/usr/bin/bao', 'vault');
  addLibraries(tree, await librariesOf([program]));
  return {
    reference: vaultReference,
    title: "Vault, a copy of this machine's",
    version,
    tree,
    dockerfile: readImageFile(root, 'vault/Dockerfile'),
    args: {},
    base: undefined,
  };
}

function embeddedVault({ root }: StandInTools, node: StandIn): StandIn {
  const bundle = join(root, 'vault', 'dist', 'dev-vault.cjs');
  if (!existsSync(bundle)) {
    throw new PreflightError(`${bundle} is not built`, { hint: 'npm run build -- dev-vault' });
  }
  const tree = new FileTree()
    .copy('/usr/lib/lockstep/dev-vault.cjs', bundle)
    .text('/usr/bin/vault', readImageFile(root, 'dev-vault/vault'), 0o755)
    .link('/usr/bin/bao', 'vault')
    .link('/bin/nc', 'busybox')
    .text('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nvault:x:100:1000:vault:/home/vault:/bin/sh\n')
    .text('/etc/group', 'root:x:0:\nvault:x:1000:\n')
    .folder(user.home, 0o755, user);
  return {
    reference: vaultReference,
    title: "lockstep's embedded development Vault, not HashiCorp Vault",
    version: 'dev',
    tree,
    dockerfile: readImageFile(root, 'dev-vault/Dockerfile'),
    args: { NODE_IMAGE: node.reference },
    base: node,
  };
}
