// What of this machine stops the project before its own programs can say so. Runs on every Node that has modules, and before
// anything is installed: no newer syntax and no dependency.
import fs from 'node:fs';
import { dirname } from 'node:path';

/** The same as `engines` in package.json. */
export const leastNode = [20, 19];

/** `uid` of files whose owner a user namespace does not map (the kernel's overflow uid). */
const nobodyKnown = 65534;

/** A Node that is too old for the programs; undefined when it is not. */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return undefined;
  return {
    fact: `Node.js ${leastNode.join('.')} or newer is needed, and this is ${version}`,
    evidence: [process.execPath],
    hint: 'install a newer one: https://nodejs.org, nvm install --lts',
  };
}

/**
 * Root at work in a checkout of somebody else, as with `sudo make up`: what it writes its owner cannot use afterwards.
 * Undefined where root is the only user there is: in a container, or on a machine that builds (CI), unless by sudo.
 */
export function rootProblem(folder, environment) {
  if (process.getuid === undefined || process.getuid() !== 0) return undefined;
  const { uid } = fs.statSync(folder);
  if (uid === 0 || uid === nobodyKnown || environment.ALLOW_ROOT === '1') return undefined;
  const isBySudo = environment.SUDO_UID !== undefined || environment.DOAS_USER !== undefined;
  if (!isBySudo && isRootsPlace(environment)) return undefined;
  const owner = userName(uid);
  return {
    fact: `${folder} belongs to ${owner}, and this is root`,
    evidence: [
      `what root writes here, ${owner} cannot use afterwards; nothing was touched`,
      `after an earlier start by root: sudo chown -R ${owner}: ${shellWord(folder)}`,
      'to go on as root all the same: ALLOW_ROOT=1',
    ],
    hint: 'the same without sudo',
  };
}

function isRootsPlace(environment) {
  return (
    fs.existsSync('/.dockerenv') ||
    fs.existsSync('/run/.containerenv') ||
    environment.container !== undefined ||
    environment.KUBERNETES_SERVICE_HOST !== undefined ||
    (environment.CI !== undefined && environment.CI !== 'false')
  );
}

/** The first of `paths` that is there and cannot be written to. */
export function writeProblem(paths) {
  for (const path of paths) {
    if (!fs.existsSync(path)) continue;
    try {
      fs.accessSync(path, fs.constants.W_OK);
    } catch (error) {
      return {
        fact: `cannot write to ${path}: ${reasons[error.code] || error.code}`,
        ...remedy(path, error.code),
      };
    }
  }
  return undefined;
}

/** What the codes of system errors say, for people. */
export const reasons = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
};

/** Evidence and hint for a path that refused with one of {@link reasons}. */
export function remedy(path, code) {
  const place = nearest(path);
  if (code === 'EROFS')
    return { evidence: [], hint: 'clone to a disk that can be written to, or mount it so' };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return { evidence: freeSpace(place), hint: `make room there; df -h ${shellWord(place)} shows it` };
  }
  const blocked = blocking(place);
  const { uid, mode } = fs.statSync(blocked);
  const own = process.getuid === undefined ? uid : process.getuid();
  const evidence = [
    `${blocked} belongs to ${userName(uid)} (mode ${octal(mode)}), and this is ${userName(own)}`,
  ];
  if (own === 0) return { evidence, hint: undefined };
  const act =
    uid === own
      ? `chmod -R u+rwX ${shellWord(blocked)}`
      : `sudo chown -R ${userName(own)}: ${shellWord(blocked)}`;
  return { evidence, hint: act };
}

/** Which of the folders on the way to `path`, or `path` itself, is closed. */
function blocking(path) {
  const way = [];
  for (let folder = path; ; folder = dirname(folder)) {
    way.unshift(folder);
    if (dirname(folder) === folder) break;
  }
  const closed = way.find((one) => {
    const isFolder = fs.statSync(one).isDirectory();
    return (
      !may(one, isFolder ? fs.constants.X_OK : fs.constants.R_OK) ||
      (one === path && !may(one, fs.constants.W_OK))
    );
  });
  return closed === undefined ? path : closed;
}

function may(path, mode) {
  try {
    fs.accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** `path`, or the folder above it that is there and can be looked at. */
function nearest(path) {
  for (let at = path; ; at = dirname(at)) {
    try {
      fs.statSync(at);
      return at;
    } catch {
      if (dirname(at) === at) return at;
    }
  }
}

function freeSpace(path) {
  try {
    const { bavail, blocks, bsize } = fs.statfsSync(path);
    return [`${megabytes(bavail * bsize)} free of ${megabytes(blocks * bsize)} on the disk of ${path}`];
  } catch {
    return [];
  }
}

function megabytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}

function octal(mode) {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** The name of a user, or `uid 1234` where nothing gives it one. */
export function userName(uid) {
  try {
    const line = fs
      .readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((one) => one.split(':')[2] === String(uid));
    return line === undefined ? `#${uid}` : line.split(':')[0];
  } catch {
    return `#${uid}`;
  }
}

/** A path as a word that a person can paste into a shell. */
export function shellWord(text) {
  return /^[\w@%+=:,./~-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}

/** A problem as the project's programs print theirs. */
export function renderProblem(program, { fact, evidence, hint }) {
  const lines = [`${program}: ${fact}`, ...evidence.map((line) => `  ${line}`)];
  return `${(hint === undefined ? lines : [...lines, `  try: ${hint}`]).join('\n')}\n`;
}
