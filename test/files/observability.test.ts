import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const grafana = 'observability/grafana';
const yaml = <T>(path: string) => parse(readFileSync(path, 'utf8'), { strict: true }) as T;

interface Compose {
  readonly services: Record<
    string,
    { readonly volumes?: readonly string[]; readonly ports?: readonly string[] }
  >;
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly { readonly targets: readonly { datasource: { uid: string }; expr: string }[] }[];
}
const compose = yaml<Compose>('compose.yaml');
const { datasources } = yaml<{ datasources: { uid: string; url: string }[] }>(
  `${grafana}/provisioning/datasources/loki.yaml`,
);

test('Grafana is told the address on which Loki listens', () => {
  const { server } = yaml<{ server: { http_listen_port: number } }>('observability/loki/loki.yaml');
  expect(Object.keys(compose.services)).toContain('loki');
  expect(datasources.map(({ url }) => url)).toEqual([`http://loki:${server.http_listen_port}`]);
  const { services } = yaml<Compose>('compose.override.yaml');
  expect(services['loki']?.ports?.[0]).toMatch(new RegExp(`:${server.http_listen_port}$`));
});

test('every file that Grafana and Loki are given is there', () => {
  for (const name of ['loki', 'grafana']) {
    const folders = (compose.services[name]?.volumes ?? []).filter((volume) => volume.startsWith('./'));
    expect(folders.length).toBeGreaterThan(0);
    for (const folder of folders) expect(existsSync(folder.split(':')[0] ?? ''), folder).toBe(true);
  }
});

test('the dashboards are where Grafana looks, and ask the provisioned datasource', () => {
  const { providers } = yaml<{ providers: { options: { path: string } }[] }>(
    `${grafana}/provisioning/dashboards/lockstep.yaml`,
  );
  const [path = ''] = providers.map(({ options }) => options.path);
  const mounts = compose.services['grafana']?.volumes ?? [];
  expect(mounts).toContain(`./${grafana}/dashboards:${path}:ro`);
  const dashboard = JSON.parse(
    readFileSync(join(grafana, 'dashboards/migrations.json'), 'utf8'),
  ) as Dashboard;
  const asked = dashboard.panels.flatMap(({ targets }) => targets);
  expect(new Set(asked.map(({ datasource }) => datasource.uid))).toEqual(
    new Set(datasources.map(({ uid }) => uid)),
  );
  for (const { expr } of asked) expect(expr).toMatch(/\{project=~"\$project", service=~/);
});
