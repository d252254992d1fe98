// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is compose's syntax.
import { describe, expect, it } from 'vitest';
import { found } from '../../../test/support/found.ts';
import { fixedPort, hiddenPort, openPort } from './ports.ts';

describe('ports', () => {
  it('beyond loopback are found in every form', () => {
    const ports = [
      '"8080:80"',
      '80',
      '"0.0.0.0:8081:80"',
      '"[::]:8082:80"',
      '{ target: 80, published: 8083 }',
      '"127.0.0.1:8084:80"',
      '"[::1]:8085:80"',
      '{ target: 80, published: 8086, host_ip: 127.0.0.1 }',
    ];
    expect(found(openPort, `a:\n  ports:\n${ports.map((port) => `    - ${port}`).join('\n')}`)).toEqual([
      'bad 4:9 a: publishes 8080:80 without an address, so on all of them',
      'bad 5:9 a: publishes 80 without an address, so on all of them',
      'bad 6:9 a: publishes 0.0.0.0:8081:80 on 0.0.0.0',
      'bad 7:9 a: publishes [::]:8082:80 on ::',
      'bad 8:9 a: publishes 8083:80 without an address, so on all of them',
    ]);
  });

  it('that no setting moves are noted', () => {
    const ports = '"127.0.0.1:8080:80", "127.0.0.1:${A_PORT:-8081}:80", "127.0.0.1::80"';
    expect(found(fixedPort, `a: { ports: [${ports}] }`)).toEqual([
      'note 2:16 a: publishes the port 8080, and no setting can change that',
    ]);
  });

  it('of a service on internal networks only are found', () => {
    const services = [
      'a: { networks: [in], ports: ["127.0.0.1:1:1"] }',
      'b: { networks: { in: , out: }, ports: [2] }',
    ];
    expect(found(hiddenPort, services.join('\n'), 'networks: { in: { internal: true }, out: {} }')).toEqual([
      'bad 2:24 a: publishes ports, but is on internal networks only (in)',
    ]);
  });
});
