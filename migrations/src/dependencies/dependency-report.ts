import { count } from '@lockstep/foundation';
import { jsonVersion } from '../json.ts';
import type { Report } from '../report.ts';
import { type Graph, type Point, type ServiceFolder, spellPoint } from './graph.ts';

/** `deps`, when all works out: the order, and who needs what; or the graph as Mermaid draws it. */
export function reportDependencies(
  services: readonly ServiceFolder[],
  graph: Graph,
  asMermaid: boolean,
): Report {
  const { order, needs } = graph;
  const titleOf = ({ service, version }: Point) =>
    `${service} ${services.find((folder) => folder.service === service)?.titles.get(version) ?? version}`;
  const text = [
    `${count(services.length, 'service')}, ${count(needs.length, 'dependency')}`.replace(
      'dependencys',
      'dependencies',
    ),
    ...order.map(
      ({ service, from, to }, index) =>
        `  ${index + 1}. ${service} ${from === to ? from : `${from} to ${to}`}`,
    ),
    ...needs.map(({ from, to }) => `  ${titleOf(from)} needs ${titleOf(to)}`),
  ].join('\n');
  return {
    text,
    json: {
      services: services.map(({ service, versions, file }) => ({
        service,
        migrations: versions.length,
        publishes: file !== undefined,
      })),
      needs: needs.map(({ from, to, place }) => ({ from: jsonPoint(from), to: jsonPoint(to), place })),
      order: order.map(({ service, from, to }) => ({
        service,
        from: jsonVersion(from),
        to: jsonVersion(to),
      })),
    },
    ...(asMermaid ? { document: toMermaid(services, graph) } : {}),
  };
}

function jsonPoint({ service, version }: Point) {
  return { service, version: jsonVersion(version) };
}

/** One box for each service, in it the migrations that others need or that need others. */
function toMermaid(services: readonly ServiceFolder[], { needs }: Graph): string {
  const ids = new Map<string, string>();
  const idOf = (point: Point) => {
    const key = spellPoint(point);
    if (!ids.has(key)) ids.set(key, `m${ids.size}`);
    return ids.get(key) ?? '';
  };
  const boxes = services.map(({ service, titles }, index) => {
    const points = [...titles].filter(([version]) =>
      needs.some(({ from, to }) =>
        [from, to].some((point) => point.service === service && point.version === version),
      ),
    );
    return [
      `  subgraph s${index}["${quoteLabel(service)}"]`,
      ...points.map(([version, title]) => `    ${idOf({ service, version })}["${quoteLabel(title)}"]`),
      '  end',
    ];
  });
  return [
    'flowchart LR',
    ...boxes.flat(),
    ...needs.map(({ from, to }) => `  ${idOf(from)} --> ${idOf(to)}`),
  ].join('\n');
}

function quoteLabel(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
