/** The one place that reads the environment of this process. */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** Forgets variables that are empty: Make exports its own even then, and an option would take that for its value. */
export function forgetEmpty(names: readonly string[]): void {
  for (const name of names) if (process.env[name] === '') delete process.env[name];
}

/** Sets a variable for this process and those it starts. */
export function setInEnvironment(name: string, value: string): void {
  process.env[name] = value;
}

/**
 * What a local process inherits: how to find programs and speak the user's language, and nothing secret. Not
 * NODE_EXTRA_CA_CERTS: a container has none either, and each Node that starts would read all of them first.
 */
const inherited = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
];

/** The part of the environment that local processes inherit, as a container would see none of the rest. */
export function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    inherited.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
