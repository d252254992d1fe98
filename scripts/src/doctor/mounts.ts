import type { Place } from '../compose/mistakes.ts';
import type { Mapping, Tree } from '../compose/tree.ts';
import { listAt, textAt, wordsAt } from './compose-view.ts';

/** What a service has mounted at a path. */
export interface SeenMount {
  /** `anonymous` is a volume without a name: it goes with its container. */
  readonly kind: 'volume' | 'anonymous' | 'bind' | 'memory';
  /** Empty when there is none. */
  readonly source: string;
  readonly target: string;
  readonly place: Place;
}

/** Everything under `volumes` and `tmpfs`. */
export function mountsOf(service: Mapping): SeenMount[] {
  const volumes = (listAt(service, 'volumes')?.items ?? []).flatMap(mount);
  const tmpfs = (wordsAt(service, 'tmpfs') ?? []).map((text): SeenMount => {
    const [target = ''] = text.split(':');
    const place = service.entries.get('tmpfs')?.place ?? service.place;
    return { kind: 'memory', source: '', target: trimmed(target), place };
  });
  return [...volumes, ...tmpfs];
}

function mount(item: Tree): SeenMount[] {
  const { place } = item;
  if (item.kind === 'map') {
    const source = textAt(item, 'source') ?? '';
    const target = trimmed(textAt(item, 'target') ?? '');
    const type = textAt(item, 'type');
    if (type === 'tmpfs') return [{ kind: 'memory', source: '', target, place }];
    if (type === 'volume') return [{ kind: source === '' ? 'anonymous' : 'volume', source, target, place }];
    return type === 'bind' ? [{ kind: 'bind', source, target, place }] : [];
  }
  if (item.kind !== 'scalar') return [];
  const [first = '', second] = item.text.split(':');
  if (second === undefined) return [{ kind: 'anonymous', source: '', target: trimmed(first), place }];
  const kind = /^[./~]/.test(first) ? 'bind' : 'volume';
  return [{ kind, source: first, target: trimmed(second), place }];
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
