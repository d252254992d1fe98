import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { needlessRights } from './privileges.ts';

describe('rights', () => {
  it('that are as good as root on the machine are found, root inside is noted', () => {
    const services = [
      'a: { privileged: true }',
      'b: { cap_add: [NET_ADMIN, SYS_ADMIN] }',
      'c: { volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"] }',
      'd: { user: "0:0" }',
      'e: { user: "1000", cap_drop: [ALL] }',
    ];
    expect(found(needlessRights, services.join('\n'))).toEqual([
      'bad 2:8 a: is privileged',
      'bad 3:8 b: has the capability SYS_ADMIN',
      "bad 4:18 c: mounts the engine's socket",
      'note 5:8 d: runs as root',
    ]);
  });
});
