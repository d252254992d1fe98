import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PreflightError } from '../errors.ts';
import { baseSystem, trustedCertificates } from './base-system.ts';
import { FileTree } from './file-tree.ts';
import { addLibraries, librariesOf } from './libraries.ts';
import { nodeReference, readImageFile, type StandIn, type StandInTools } from './stand-in.ts';

/** The node that runs this, with its libraries. */
export async function nodeStandIn({ root, busybox }: StandInTools): Promise<StandIn> {
  const node = process.execPath;
  const tree = baseSystem(busybox, { name: 'node', uid: 1000, gid: 1000, home: '/home/node' }).copy(
    '/usr/local/bin/node',
    node,
    0o755,
  );
  addLibraries(tree, await librariesOf([node]));
  const certificates = trustedCertificates();
  if (certificates === undefined) tree.text('/etc/ssl/certs/ca-certificates.crt', '');
  else tree.copy('/etc/ssl/certs/ca-certificates.crt', certificates);
  return {
    reference: nodeReference(),
    title: "Node.js, a copy of this machine's",
    version: process.versions.node,
    tree,
    dockerfile: readImageFile(root, 'node/Dockerfile'),
    args: {},
    base: undefined,
  };
}

/**
 * The same with npm, for the Dockerfile's build from sources.
 *
 * @throws {PreflightError} when there is no npm beside node
 */
export function nodeBuildStandIn({ root }: StandInTools, node: StandIn): StandIn {
  const npm = join(dirname(dirname(process.execPath)), 'lib', 'node_modules', 'npm');
  if (!existsSync(join(npm, 'bin', 'npm-cli.js'))) {
    throw new PreflightError(
      `there is no npm in ${npm}, so the image for builds from sources cannot be made`,
    );
  }
  const tree = new FileTree()
    .copyFolder('/usr/local/lib/node_modules/npm', npm, (path) => !/^(docs|man)(\/|$)/.test(path))
    .link('/usr/local/bin/npm', '../lib/node_modules/npm/bin/npm-cli.js')
    .link('/usr/local/bin/npx', '../lib/node_modules/npm/bin/npx-cli.js');
  for (const name of ['find', 'xargs', 'dirname', 'ln']) tree.link(`/bin/${name}`, 'busybox');
  return {
    reference: `${nodeReference()}-build`,
    title: "Node.js and npm, copies of this machine's",
    version: process.versions.node,
    tree,
    dockerfile: readImageFile(root, 'node-build/Dockerfile'),
    args: { NODE_IMAGE: node.reference },
    base: node,
  };
}
