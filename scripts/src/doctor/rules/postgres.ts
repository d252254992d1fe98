import { completed, mapAt, placeAt, type ServiceView, textAt, wordsAt } from '../compose-view.ts';
import { imageName } from '../image-name.ts';
import { mountsOf, type SeenMount } from '../mounts.ts';
import type { Fault, Rule } from '../rule.ts';

/** Postgres whose data outlives nothing: no volume, or one where the image does not keep its data. */
export const postgresVolume: Rule = ({ services }) =>
  services.flatMap((service) => {
    const postgres = postgresOf(service);
    return postgres === undefined ? [] : volumeFault(service, postgres);
  });

/** Signals that do not end Postgres the fast way. The official images themselves say SIGINT. */
export const postgresStopSignal: Rule = ({ services }) =>
  services.flatMap((service) => {
    const signal = textAt(service.map, 'stop_signal');
    if (signal === undefined || postgresOf(service) === undefined || /^(SIGINT|INT|2)$/i.test(signal))
      return [];
    const isSmart = /^(SIG)?TERM$|^15$/i.test(signal);
    return {
      mark: 'bad',
      place: placeAt(service.map, 'stop_signal'),
      subject: service.name,
      fact: `is stopped with ${signal}`,
      because: isSmart
        ? 'Postgres waits for every client to leave, is killed after 10 s, and recovers at its next start'
        : 'Postgres ends without a checkpoint and recovers at its next start',
      fix: 'stop_signal: SIGINT',
    };
  });

/** What the chassis' pool takes at most, as node-postgres' own does by default. */
const connectionsOfAnApp = 10;
const defaultConnections = 100;

/** More apps behind init containers than the one Postgres has connections for. */
export const postgresConnections: Rule = ({ services }) => {
  const servers = services.filter((service) => postgresOf(service) !== undefined);
  const [server] = servers;
  if (server === undefined || servers.length > 1) return [];
  const isApp = ({ isOneShot, dependsOn }: ServiceView) =>
    !isOneShot && dependsOn.some(({ condition }) => condition === completed);
  const apps = services.filter(isApp).length;
  const command = (wordsAt(server.map, 'command') ?? []).join(' ');
  const has = Number(/\bmax_connections\s*=\s*'?(\d+)/.exec(command)?.[1] ?? defaultConnections);
  const wanted = apps * connectionsOfAnApp;
  if (wanted <= has) return [];
  return [
    {
      mark: 'note',
      place: command === '' ? server.place : placeAt(server.map, 'command'),
      subject: server.name,
      fact: `has ${has} connections, and ${apps} apps take up to ${connectionsOfAnApp} each`,
      because: 'when all of them are busy, some requests get no connection and answer 503',
      fix: `command: [-c, max_connections=${wanted + connectionsOfAnApp}], here POSTGRES_MAX_CONNECTIONS in .env`,
    },
  ];
};

interface Postgres {
  /** Undefined when the image's name does not say. */
  readonly major: number | undefined;
  /** The folder of the data. */
  readonly dataFolder: string;
  /** Where the image has a volume of its own, made without a name when nothing is mounted there. */
  readonly imageVolume: string;
}

/** Undefined when the service is no Postgres, or of an image with folders of its own. */
function postgresOf({ map }: ServiceView): Postgres | undefined {
  const image = imageName(textAt(map, 'image') ?? '');
  const embedded = mapAt(map, 'x-embedded');
  const isBuiltIn = embedded !== undefined && textAt(embedded, 'program') === 'postgres';
  const isOfficial = /(^|-)(postgres|postgis|pgvector|timescaledb)$/.test(image.base);
  if (!isBuiltIn && !isOfficial) return undefined;
  const version = /^v?(\d+)|pg(\d+)/.exec(image.tag ?? '');
  const major = version === null ? undefined : Number(version[1] ?? version[2]);
  const isOld = major !== undefined && major < 18;
  const usual = isOld ? '/var/lib/postgresql/data' : `/var/lib/postgresql/${major ?? '<version>'}/docker`;
  const given = textAt(mapAt(map, 'environment') ?? map, 'PGDATA');
  return {
    major,
    dataFolder: given || usual,
    imageVolume: isOld ? '/var/lib/postgresql/data' : '/var/lib/postgresql',
  };
}

function volumeFault({ name, map, place }: ServiceView, postgres: Postgres): Fault[] {
  const { dataFolder, imageVolume, major } = postgres;
  const mounts = mountsOf(map);
  // The image's own volume lies over anything that is mounted above it.
  const holds = ({ target }: SeenMount) =>
    isAtOrUnder(dataFolder, target) &&
    (!isAtOrUnder(dataFolder, imageVolume) || isAtOrUnder(target, imageVolume));
  const holder = mounts.filter(holds).sort((a, b) => b.target.length - a.target.length)[0];
  if (holder?.kind === 'volume' || holder?.kind === 'bind') return [];
  const fix = `volumes: ["${name}:${isAtOrUnder(dataFolder, imageVolume) ? imageVolume : dataFolder}"]`;
  if (holder?.kind === 'memory') {
    const fact = `keeps its data in memory (${holder.target})`;
    return [{ mark: 'note', place: holder.place, subject: name, fact, because: 'every stop loses it', fix }];
  }
  const astray = mounts.find(
    ({ kind, target }) => kind !== 'memory' && isAtOrUnder(target, '/var/lib/postgresql'),
  );
  if (astray === undefined || holder !== undefined) {
    const fact = `no named volume holds its data (${dataFolder})`;
    const because = 'it lies in a volume without a name, and is gone after `down`';
    return [{ mark: 'bad', place: holder?.place ?? place, subject: name, fact, because, fix }];
  }
  return [
    {
      mark: 'bad',
      place: astray.place,
      subject: name,
      fact: `mounts ${astray.target}, but Postgres ${major ?? '18 and newer'} keeps its data in ${dataFolder}`,
      because:
        major !== undefined && major < 18
          ? 'the data lies in a volume without a name instead, and is gone after `down`'
          : 'the image refuses to start; with one that does not, the data is gone after `down`',
      fix,
    },
  ];
}

function isAtOrUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}
