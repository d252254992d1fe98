import { shellWords } from '../../compose/shell-words.ts';
import { composeDuration } from '../../compose/values.ts';
import { mapAt, placeAt, type ServiceView, textAt, wordsAt } from '../compose-view.ts';
import type { Rule } from '../rule.ts';

/** Health checks of Postgres that ask its socket, on which the server of initdb answers too. */
export const socketHealthcheck: Rule = ({ services }) =>
  services.flatMap(({ name, map, healthcheck }) => {
    if (healthcheck === undefined || textAt(mapAt(map, 'environment') ?? map, 'PGHOST')) return [];
    const client = commandsOf(healthcheck).map(socketClient).find(Boolean);
    if (client === undefined) return [];
    return {
      mark: 'bad',
      place: placeAt(healthcheck, 'test'),
      subject: name,
      fact: `its health check asks ${client} over the socket`,
      because:
        'the socket answers while initdb is still at work; then Postgres restarts under its first clients',
      fix: 'over TCP: test: [CMD, pg_isready, -h, 127.0.0.1]',
    };
  });

/** Services that others want healthy although nothing says when they are. */
export const unhealthyForEver: Rule = ({ services }) => {
  const unchecked = new Set(
    services.filter(({ healthcheck }) => healthcheck === undefined).map(({ name }) => name),
  );
  return services.flatMap(({ name, dependsOn }) =>
    dependsOn
      .filter(({ service, condition }) => condition === 'service_healthy' && unchecked.has(service))
      .map(({ service, place }) => ({
        mark: 'bad' as const,
        place,
        subject: name,
        fact: `waits for ${service} to be healthy, which has no health check`,
        because: 'it never starts, unless the image brings a check of its own',
        fix: `give ${service} a healthcheck`,
      })),
  );
};

/** `start_interval`, which not every engine knows. */
export const startInterval: Rule = ({ services }) =>
  services.flatMap(({ name, healthcheck }) =>
    healthcheck?.entries.has('start_interval') !== true
      ? []
      : {
          mark: 'bad',
          place: placeAt(healthcheck, 'start_interval'),
          subject: name,
          fact: 'its health check has a start_interval',
          because: 'Docker Engine before 25 refuses it; Podman does not heed it',
          fix: 'leave it out, and give a shorter interval to what others wait for',
        },
  );

/** Words of a check with blanks in them, at which some Podman takes them apart. */
export const blankInHealthcheck: Rule = ({ services }) =>
  services.flatMap(({ name, healthcheck }) => {
    const [kind, ...words] = (healthcheck && wordsAt(healthcheck, 'test')) ?? [];
    if (healthcheck === undefined || kind !== 'CMD' || !words.some((word) => /\s/.test(word))) return [];
    return {
      mark: 'note',
      place: placeAt(healthcheck, 'test'),
      subject: name,
      fact: 'a word of its health check has a blank in it',
      because: 'Compose on the socket of a Podman before 5.8 splits it there, and the check fails',
      fix: 'write the word without blanks, or the whole as [CMD-SHELL, "..."]',
    };
  });

/** What the specification says an interval is when the file does not. */
const defaultInterval = 30_000;
const longestWait = 5_000;
const shortestInterval = 1_000;

/** Intervals that hold up a start, or keep the machine busy; a probe that itself waits keeps nothing busy. */
export const interval: Rule = ({ services }) => {
  const awaited = new Set(
    services.flatMap(({ dependsOn }) =>
      dependsOn.filter(({ condition }) => condition === 'service_healthy').map(({ service }) => service),
    ),
  );
  return services.flatMap(({ name, healthcheck }) => {
    if (healthcheck === undefined) return [];
    const written = textAt(healthcheck, 'interval');
    const milliseconds = written === undefined ? defaultInterval : composeDuration(written);
    if (milliseconds === undefined) return [];
    const at = { mark: 'note' as const, place: placeAt(healthcheck, 'interval'), subject: name };
    if (milliseconds < shortestInterval) {
      if ((wordsAt(healthcheck, 'test') ?? []).some((word) => /\bsleep\b/.test(word))) return [];
      return {
        ...at,
        fact: `is probed every ${written}`,
        because: 'each probe is a process in the container: an idle stack burns a part of a core for it',
        fix: 'interval: 1s, or a test that sleeps between its own looks once the service is well',
      };
    }
    if (milliseconds <= longestWait || !awaited.has(name)) return [];
    return {
      ...at,
      fact: `others wait for it, and it is first probed after ${written ?? '30s, which is the default'}`,
      because: 'the first probe comes one interval after the start, however soon it is ready',
      fix: 'interval: 1s',
    };
  });
};

/** The commands of a check, each as words. */
function commandsOf(check: NonNullable<ServiceView['healthcheck']>): (readonly string[])[] {
  const test = check.entries.get('test');
  const words = wordsAt(check, 'test') ?? [];
  if (test?.kind === 'scalar') return shellCommands(words[0] ?? '');
  const [kind, ...rest] = words;
  if (kind === 'CMD-SHELL') return shellCommands(rest[0] ?? '');
  const [program = '', flag = '', line = ''] = rest;
  const isShell = /(^|\/)(ba|da)?sh$/.test(program) && /^-\w*c$/.test(flag);
  return isShell ? shellCommands(line) : [rest];
}

function shellCommands(line: string): (readonly string[])[] {
  return line.split(/&&|\|\||[;|\n]/).map((part) => shellWords(part)?.words ?? part.split(/\s+/));
}

/** `pg_isready` or `psql` when the command calls one without a host, or with a folder for one. */
function socketClient(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => /(^|\/)(pg_isready|psql)$/.test(word));
  if (at === -1 || words.slice(0, at).some((word) => /^PGHOST=[^/]/.test(word))) return undefined;
  const args = words.slice(at + 1);
  const hosts = args.flatMap((word, index) => {
    if (word === '-h' || word === '--host') return [args[index + 1] ?? ''];
    return /^(?:-h|--host=)(.+)$/.exec(word)?.[1] ?? /\bhost=([^\s']+)/.exec(word)?.[1] ?? inUrl(word);
  });
  return hosts.some((host) => host !== '' && !host.startsWith('/'))
    ? undefined
    : words[at]?.split('/').at(-1);
}

function inUrl(word: string): string[] {
  const host = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(word)?.[1];
  return host === undefined ? [] : [host];
}
