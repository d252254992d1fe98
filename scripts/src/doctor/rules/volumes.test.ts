// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { fixedName, undeclaredVolume } from './volumes.ts';

describe('volumes and names', () => {
  it('that are not declared are found', () => {
    expect(found(undeclaredVolume, 'a: { volumes: ["x:/x", "./y:/y", "z:/z"] }', 'volumes: { z: }')).toEqual([
      'bad 2:18 a: mounts the volume x, which is not declared',
    ]);
  });

  it('that two clones would share are found', () => {
    const rest =
      'volumes: { v: { name: data }, w: { name: "${P}_w" }, x: { name: y, external: true } }\nnetworks: { n: { name: net } }';
    expect(found(fixedName, 'a: { container_name: a }\nb: { container_name: "${P}-b" }', rest)).toEqual([
      'note 2:8 a: has a container_name of its own',
      'bad 4:17 v: the volume has a name of its own',
      'note 5:18 n: the network has a name of its own',
    ]);
  });
});
