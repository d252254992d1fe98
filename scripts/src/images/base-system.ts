import { existsSync } from 'node:fs';
import { addBusybox } from './busybox.ts';
import { FileTree, type Owner } from './file-tree.ts';

/** The user an image's program runs as. */
export interface ImageUser extends Owner {
  readonly name: string;
  readonly home: string;
}

/** What a person or a health check may want in any of the images. */
const usual = [
  'sh',
  'cat',
  'chmod',
  'cp',
  'env',
  'grep',
  'head',
  'id',
  'kill',
  'ls',
  'mkdir',
  'mv',
  'ps',
  'rm',
  'sed',
  'sleep',
  'tail',
  'test',
  'touch',
];

/** The least a Linux program finds around it: users, a temporary folder, a shell of busybox. */
export function baseSystem(busybox: string, user: ImageUser, names: readonly string[] = []): FileTree {
  const tree = new FileTree()
    .text('/etc/passwd', passwd(user))
    .text('/etc/group', `root:x:0:\n${user.name}:x:${user.gid}:\nnogroup:x:65534:\n`)
    .text('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n')
    .folder('/tmp', 0o1777)
    .folder('/run')
    .folder('/root', 0o700)
    .folder(user.home, 0o755, user)
    .link('/var/run', '/run')
    .link('/usr/bin/env', '/bin/busybox');
  addBusybox(tree, busybox, [...usual, ...names]);
  // Of the C library: so that programs take text for UTF-8.
  if (existsSync('/usr/lib/locale/C.utf8'))
    tree.copyFolder('/usr/lib/locale/C.utf8', '/usr/lib/locale/C.utf8');
  return tree;
}

function passwd(user: ImageUser): string {
  const line = ({ name, uid, gid, home }: ImageUser) => `${name}:x:${uid}:${gid}:${name}:${home}:/bin/sh\n`;
  const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, home: '/' };
  return [{ name: 'root', uid: 0, gid: 0, home: '/root' }, user, nobody].map(line).join('');
}

/** The certificates this machine trusts, where Debian, Fedora, Alpine or SUSE keep them; undefined when there are none. */
export function trustedCertificates(): string | undefined {
  return [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/ssl/cert.pem',
    '/etc/ssl/ca-bundle.pem',
  ].find((file) => existsSync(file));
}
