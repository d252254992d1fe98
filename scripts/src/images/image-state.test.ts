import { expect, test } from 'vitest';
import { readInspected } from './image-state.ts';

const id = 'ab'.repeat(32);

test("Docker's and Podman's answers read the same", () => {
  const Labels = { 'dev.lockstep.key': 'k', 'dev.lockstep.stand-in': 'true' };
  const docker = [{ Id: `sha256:${id}`, RepoTags: ['a:1'], RepoDigests: [], Size: 7, Config: { Labels } }];
  const podman = [{ Id: id, RepoTags: ['a:1'], RepoDigests: null, Size: 7, Labels, Config: { Labels } }];
  const read = [{ names: ['a:1'], state: { id, bytes: 7, labels: Labels, key: 'k', isStandIn: true } }];
  expect(readInspected(JSON.stringify(docker))).toEqual(read);
  expect(readInspected(JSON.stringify(podman))).toEqual(read);
});

test('an image without labels has no key and is no stand-in', () => {
  const json = JSON.stringify([{ Id: id, RepoTags: null, Size: 1, Config: { Labels: null } }]);
  expect(readInspected(json)?.[0]?.state).toMatchObject({ key: undefined, isStandIn: false, labels: {} });
});

test('no images are an empty answer, and what is no JSON is none', () => {
  expect(readInspected('[]\n')).toEqual([]);
  expect(readInspected('')).toEqual([]);
  expect(readInspected('{}')).toBeUndefined();
  expect(readInspected('Error: what?')).toBeUndefined();
});
