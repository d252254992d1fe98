import { isIP } from 'node:net';
import type { Port } from './stack.ts';
import type { Mapping, Tree } from './tree.ts';
import type { ValueReader } from './values.ts';

/** The parts of a port in its short form; those that are not given are empty. */
export interface PortText {
  readonly host: string;
  readonly published: string;
  readonly target: string;
  readonly protocol: string;
}

/** Splits `127.0.0.1:8080:80/tcp` as Docker does: from the right, an IPv6 address in brackets. */
export function splitPort(text: string): PortText {
  const slash = text.indexOf('/');
  const [whole, protocol] = slash === -1 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
  const parts = whole.split(':');
  const target = parts.pop() ?? '';
  const published = parts.pop() ?? '';
  return { host: parts.join(':').replace(/^\[(.*)\]$/, '$1'), published, target, protocol };
}

/** Reads one entry of `ports`, short (`127.0.0.1:8080:80/tcp`) or long; none when it is wrong. */
export function readPort(item: Tree, read: ValueReader): Port[] {
  if (item.kind === 'map') return longPort(item, read);
  const isText = item.kind === 'scalar' && (item.type === 'string' || item.type === 'int');
  const text = isText ? item.text : '';
  const { host, published, target, protocol } = splitPort(text);
  if (!isText || target === '' || (host.includes(':') && !text.startsWith('['))) {
    read.mistakes.add(item.place, `ports: expected [address:]published:container, got "${text}"`);
    return [];
  }
  const setting = settingOf(item.raw);
  return checked({ host, published, target, protocol, setting }, item, read);
}

function longPort(item: Mapping, read: ValueReader): Port[] {
  const keys = ['target', 'published', 'host_ip', 'protocol', 'mode', 'name', 'app_protocol'];
  read.unknownKeys(item, keys, 'ports');
  const published = read.scalar(item, 'published');
  const host = read.text(item, 'host_ip');
  if (host === '') read.mistakes.add(item.place, 'ports: host_ip: expected an IP address, got ""');
  return checked(
    {
      host: host ?? '',
      published: published?.text ?? '',
      target: read.text(item, 'target') ?? '',
      protocol: read.text(item, 'protocol') ?? '',
      setting: settingOf(`${published?.raw ?? ''}:`),
    },
    item,
    read,
  );
}

interface Given extends PortText {
  readonly setting: string | undefined;
}

function checked(
  { host, published, target, protocol, setting }: Given,
  item: Tree,
  read: ValueReader,
): Port[] {
  const wrong = (text: string) => read.mistakes.add(item.place, `ports: ${text}`);
  const [ports, targets] = [portsOf(published), portsOf(target)];
  const rule = 'expected a port from 1 to 65535';
  if (!/^(|tcp|udp|sctp)$/i.test(protocol)) wrong(`expected tcp or udp, got "${protocol}"`);
  else if (host !== '' && isIP(host) === 0) wrong(`expected an IP address to publish on, got "${host}"`);
  else if (targets === undefined) wrong(`the container port: ${rule}, got "${target}"`);
  else if (published === '' && setting === undefined) {
    if (isTcp(protocol))
      wrong(`${target} has no published port; one of the engine's choice is not supported`);
  } else if (ports === undefined) wrong(`${setting ?? 'the published port'}: ${rule}, got "${published}"`);
  else if (ports.length !== targets.length && targets.length === 1 && isTcp(protocol)) {
    wrong(`a choice of ports (${published}) is not supported; expected one`);
  } else if (ports.length !== targets.length) wrong(`${published} and ${target} are not of one length`);
  else if (isTcp(protocol)) {
    const place = item.place;
    return ports.map((port, at) => ({
      host: host || '0.0.0.0',
      published: port,
      target: targets[at] ?? port,
      setting,
      place,
    }));
  }
  return [];
}

function isTcp(protocol: string): boolean {
  return /^(|tcp)$/i.test(protocol);
}

/** The ports of `80` or `8000-8002`; undefined when it is neither. */
function portsOf(text: string): number[] | undefined {
  const [, first = '', last = first] = /^(\d{1,8})(?:-(\d{1,8}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from < 1 || to > 65_535 || to < from) return undefined;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/** The variable that sets the published port, read from the text before it was filled in. */
function settingOf(raw: string): string | undefined {
  const withoutTarget = raw.replace(/:[^:}]*$/, '');
  return [...withoutTarget.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].at(-1)?.[1];
}
