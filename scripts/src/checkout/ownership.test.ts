import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { judgeOwnership, type Ownership, type Traces } from './ownership.ts';

const place = mkdtempSync(join(tmpdir(), 'lockstep-ownership-'));
const [here, there, link, gone] = ['here', 'there', 'link', 'gone'].map((name) => join(place, name)) as [
  string,
  string,
  string,
  string,
];
mkdirSync(here);
mkdirSync(there);
symlinkSync(here, link);
afterAll(() => rmSync(place, { recursive: true }));

const made = (folder: string | undefined) => [{ id: 'c1', folder }];
const judge = (traces: Partial<Traces>, id: 'me' | 'new' = 'me', isOwnName = false): Ownership =>
  judgeOwnership(
    { containers: [], volumes: [], mark: undefined, ...traces },
    { root: here, id: id === 'new' ? undefined : id },
    isOwnName,
  );
const ours = { kind: 'ours', stale: [] };

describe('F8.1 whose a stack is', () => {
  test('nothing there: nobody’s, whatever mark was left', () => {
    expect(judge({})).toEqual({ kind: 'free' });
    expect(judge({ mark: { id: 'another', folder: there } })).toEqual({ kind: 'free' });
  });

  test('containers that were made from a folder inside of it are its own, unless that is a checkout itself', () => {
    const [state, nested] = [join(here, '.lockstep'), join(here, 'nested')];
    mkdirSync(state);
    mkdirSync(join(nested, '.lockstep'), { recursive: true });
    expect(judge({ containers: made(state) })).toEqual(ours);
    expect(judge({ containers: made(join(link, 'infra')) })).toEqual(ours);
    expect(judge({ containers: made(nested) })).toEqual({ kind: 'other', folder: nested, isThere: true });
    rmSync(state, { recursive: true });
    rmSync(nested, { recursive: true });
  });

  test('containers say it, also by a link', () => {
    expect(judge({ containers: made(here) })).toEqual(ours);
    expect(judge({ containers: made(link) })).toEqual(ours);
    expect(judge({ containers: made(there) })).toEqual({ kind: 'other', folder: there, isThere: true });
    expect(judge({ containers: made(gone) })).toEqual({ kind: 'other', folder: gone, isThere: false });
    // A name made of this path does not make another folder's containers ours.
    expect(judge({ containers: made(there) }, 'me', true).kind).toBe('other');
  });

  test('volumes alone: the mark says it', () => {
    const volumes = ['v'];
    expect(judge({ volumes, mark: { id: 'me', folder: here } })).toEqual(ours);
    expect(judge({ volumes, mark: { id: 'another', folder: there } })).toEqual({
      kind: 'other',
      folder: there,
      isThere: true,
    });
    expect(judge({ volumes, mark: { id: 'another', folder: gone } }, 'new').kind).toBe('other');
  });

  test('volumes without a mark are ours only when nobody else can have the name', () => {
    expect(judge({ volumes: ['v'] })).toEqual({ kind: 'unknown' });
    expect(judge({ volumes: ['v'] }, 'new', true)).toEqual(ours);
    expect(judge({ volumes: ['v'], containers: made(undefined) })).toEqual({ kind: 'unknown' });
  });

  test('a renamed folder keeps its stack, and knows the containers of its old place', () => {
    const containers = made(gone);
    expect(judge({ containers, mark: { id: 'me', folder: gone } })).toEqual({
      kind: 'ours',
      stale: containers,
    });
    // Somebody else runs it in another folder meanwhile.
    expect(judge({ containers: made(there), mark: { id: 'me', folder: here } })).toEqual({
      kind: 'other',
      folder: there,
      isThere: true,
    });
  });

  test('at the same path: one that lost its state folder keeps the stack, a second one does not get it', () => {
    const traces = { volumes: ['v'], mark: { id: 'another', folder: here } };
    expect(judge(traces, 'new')).toEqual(ours);
    expect(judgeOwnership({ containers: [], ...traces }, { root: here, id: 'me' }, true).kind).toBe('other');
  });
});
