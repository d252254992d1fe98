import type { Port } from './stack.ts';
import type { Mapping, Tree } from './tree.ts';
import type { ValueReader } from './values.ts';

/** Reads one entry of `ports`, short (`127.0.0.1:8080:80/tcp`) or long; none when it is wrong. */
export function readPort(item: Tree, read: ValueReader): Port[] {
  if (item.kind === 'map') return longPort(item, read);
  const text = item.kind === 'scalar' ? String(item.value) : '';
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([^:]*):([^:]*?)(?:\/(tcp|udp))?$/.exec(text);
  if (match === null) {
    read.mistakes.add(item.place, `ports: expected [address:]published:container, got "${text}"`);
    return [];
  }
  const [, host = '', published = '', target = '', protocol] = match;
  if (protocol === 'udp') return [];
  const raw = item.kind === 'scalar' ? item.raw : '';
  const setting = settingOf(raw);
  return checked({ host, published, target, setting }, item, read);
}

function longPort(item: Mapping, read: ValueReader): Port[] {
  const keys = ['target', 'published', 'host_ip', 'protocol', 'mode', 'name', 'app_protocol'];
  read.unknownKeys(item, keys, 'ports');
  if (read.text(item, 'protocol') === 'udp') return [];
  const published = read.scalar(item, 'published');
  return checked(
    {
      host: read.text(item, 'host_ip') ?? '',
      published: String(published?.value ?? ''),
      target: read.text(item, 'target') ?? '',
      setting: settingOf(published?.raw ?? ''),
    },
    item,
    read,
  );
}

interface Given {
  readonly host: string;
  readonly published: string;
  readonly target: string;
  readonly setting: string | undefined;
}

function checked({ host, published, target, setting }: Given, item: Tree, read: ValueReader): Port[] {
  const places: [string, string][] = [
    [setting ?? 'the published port', published],
    ['the container port', target],
  ];
  let right = true;
  for (const [what, text] of places) {
    if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) continue;
    right = false;
    read.mistakes.add(item.place, `ports: ${what}: expected a port from 1 to 65535, got "${text}"`);
  }
  if (!right) return [];
  const bare = host.replace(/^\[|\]$/g, '');
  return [
    {
      host: bare || '0.0.0.0',
      published: Number(published),
      target: Number(target),
      setting,
      place: item.place,
    },
  ];
}

/** The variable that sets the published port, read from the text before it was filled in. */
function settingOf(raw: string): string | undefined {
  const withoutTarget = raw.replace(/:[^:}]*$/, '');
  return [...withoutTarget.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].at(-1)?.[1];
}
