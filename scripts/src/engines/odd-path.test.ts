import { expect, test } from 'vitest';
import { refuseOddPath } from './odd-path.ts';

const projectAt = (root: string) => ({ root });

test('F8.5 a path that an engine would misread is refused by name, and any other is not', () => {
  expect(() => refuseOddPath(projectAt('/a:b'), 'docker')).toThrow(
    'docker cannot mount from a path with : in it',
  );
  expect(() => refuseOddPath(projectAt('/a"b:c'), 'podman')).toThrow(
    'podman cannot mount from a path with : " in it',
  );
  expect(() => refuseOddPath(projectAt('/a"b $c `d`'), 'docker')).not.toThrow();
  expect(() => refuseOddPath(projectAt('/a:b"c'), 'embedded')).not.toThrow();
});
