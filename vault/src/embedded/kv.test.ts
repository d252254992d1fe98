import { describe, expect, it } from 'vitest';
import { KvStore, mergePatch } from './kv.ts';

function store() {
  const clock = { now: 1_000_000 };
  return { clock, kv: new KvStore(() => clock.now) };
}

describe('versions', () => {
  it('counts from 1 and returns the latest unless asked otherwise', () => {
    const { kv } = store();
    expect(kv.write('a', { n: 1 }, undefined)).toBe(1);
    expect(kv.write('a', { n: 2 }, undefined)).toBe(2);
    expect(kv.version('a')?.version.data).toEqual({ n: 2 });
    expect(kv.version('a', 1)?.version.data).toEqual({ n: 1 });
    expect(kv.version('a', 3)).toBeUndefined();
    expect(kv.version('b')).toBeUndefined();
  });

  it('keeps ten of ten thousand', () => {
    const { kv } = store();
    for (let n = 1; n <= 10_000; n++) kv.write('a', { n }, undefined);
    expect([...(kv.path('a')?.versions.keys() ?? [])]).toEqual([
      9991, 9992, 9993, 9994, 9995, 9996, 9997, 9998, 9999, 10_000,
    ]);
    expect(kv.path('a')).toMatchObject({ current: 10_000, oldest: 9991 });
  });

  it('keeps the larger of what the mount and the path allow, and drops several when it shrinks', () => {
    const { kv } = store();
    kv.config.maxVersions = 4;
    for (let n = 1; n <= 6; n++) kv.write('a', { n }, undefined);
    expect(kv.path('a')?.versions.size).toBe(4);
    kv.config.maxVersions = 2;
    kv.write('a', { n: 7 }, undefined);
    expect([...(kv.path('a')?.versions.keys() ?? [])]).toEqual([6, 7]);
  });

  it('deletes the latest, brings it back, destroys it for good', () => {
    const { kv } = store();
    kv.write('a', { n: 1 }, undefined);
    const live = () => {
      const found = kv.version('a');
      return found !== undefined && kv.isLive(found.version);
    };
    kv.delete('a');
    expect(live()).toBe(false);
    kv.undelete('a', [1]);
    expect(live()).toBe(true);
    kv.destroy('a', [1]);
    expect(live()).toBe(false);
    kv.undelete('a', [1]);
    expect(live()).toBe(false);
    expect(kv.version('a')?.version.data).toBeUndefined();
    kv.remove('a');
    expect(kv.path('a')).toBeUndefined();
  });

  it('lets a version end by itself after delete_version_after, the shorter of the two', () => {
    const { kv, clock } = store();
    kv.config.deleteAfterSeconds = 60;
    kv.create('a').deleteAfterSeconds = 10;
    kv.write('a', { n: 1 }, undefined);
    const version = kv.version('a')?.version;
    if (version === undefined) throw new Error('there is a version');
    expect(kv.isLive(version)).toBe(true);
    clock.now += 10_000;
    expect(kv.isLive(version)).toBe(false);
  });
});

describe('check-and-set', () => {
  const mismatch = expect.objectContaining({
    message: 'check-and-set parameter did not match the current version',
  });

  it('takes 0 for an entry that must not exist', () => {
    const { kv } = store();
    expect(kv.write('a', {}, 0)).toBe(1);
    expect(() => kv.write('a', {}, 0)).toThrow(mismatch);
    expect(kv.path('a')?.current).toBe(1);
  });

  it('takes the latest version, also a deleted one', () => {
    const { kv } = store();
    kv.write('a', {}, undefined);
    kv.delete('a');
    expect(() => kv.write('a', {}, 0)).toThrow(mismatch);
    expect(kv.write('a', {}, 1)).toBe(2);
  });

  it('is required when the mount or the path says so', () => {
    const { kv } = store();
    kv.create('a').casRequired = true;
    expect(() => kv.write('a', {}, undefined)).toThrow('check-and-set parameter required for this call');
    kv.config.casRequired = true;
    expect(() => kv.write('b', {}, undefined)).toThrow('check-and-set parameter required for this call');
    expect(kv.write('b', {}, 0)).toBe(1);
  });
});

describe('patch', () => {
  it('merges into a new version and leaves the old one as it was', () => {
    const { kv } = store();
    kv.write('a', { keep: 1, drop: 2, deep: { x: 1, y: 2 } }, undefined);
    expect(kv.patch('a', { drop: null, deep: { y: null, z: 3 } }, undefined)).toBe(2);
    expect(kv.version('a')?.version.data).toEqual({ keep: 1, deep: { x: 1, z: 3 } });
    expect(kv.version('a', 1)?.version.data).toEqual({ keep: 1, drop: 2, deep: { x: 1, y: 2 } });
  });

  it('does nothing to what is absent or deleted', () => {
    const { kv } = store();
    expect(kv.patch('a', { x: 1 }, undefined)).toBeUndefined();
    kv.write('a', { x: 1 }, undefined);
    kv.delete('a');
    expect(kv.patch('a', { x: 2 }, undefined)).toBeUndefined();
  });

  it('keeps __proto__ a key like any other', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('list', () => {
  it('shows names and folders one level deep, sorted', () => {
    const { kv } = store();
    for (const path of ['b', 'a/x', 'a/y/z', 'a', 'c/d']) kv.write(path, {}, undefined);
    expect(kv.list('')).toEqual(['a', 'a/', 'b', 'c/']);
    expect(kv.list('a/')).toEqual(['x', 'y/']);
    expect(kv.list('none/')).toEqual([]);
  });
});
