import { mapAt, scalarAt } from '../compose-view.ts';
import type { Rule } from '../rule.ts';

const secretName =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|SECRET_ID|(API|PRIVATE|ACCESS|SECRET|ENCRYPTION|SIGNING)_?KEY|CREDENTIALS?)$/i;
const urlPassword = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

/** Secrets in `environment`, which `inspect` shows to whoever may ask the engine. Never prints one. */
export const secretInEnvironment: Rule = ({ services }) =>
  services.flatMap(({ name, map }) => {
    const environment = mapAt(map, 'environment');
    return [...(environment?.entries.keys() ?? [])].flatMap((variable) => {
      const value = environment && scalarAt(environment, variable);
      if (value === undefined) return [];
      const isVariable = /\$\{?\w/.test(value.raw);
      if (!holdsSecret(variable, value.text, isVariable)) return [];
      const isLiteral = !isVariable || /\$\{\w+:?-[^$}]/.test(value.raw);
      return {
        mark: isLiteral ? ('bad' as const) : ('note' as const),
        place: environment?.keys.get(variable) ?? value.place,
        subject: name,
        fact: `${variable} holds a secret${isLiteral ? ', written out in the file' : ''}`,
        because: isLiteral
          ? 'it is in version control, in `inspect` and in the environment of every process of the container'
          : '`inspect` shows it, and so does the environment of every process of the container',
        fix: 'a file: the secrets key, and a variable that ends in _FILE where the image knows one',
      };
    });
  });

/** A path, or a switch, is no secret; nor is what is empty, unless a variable is only not set at the moment. */
function holdsSecret(variable: string, value: string, isVariable: boolean): boolean {
  if (value === '') return isVariable && secretName.test(variable);
  if (/^(true|false|\d{1,3}|\.?\.?\/.*)$/i.test(value)) return false;
  return secretName.test(variable) || urlPassword.test(value);
}
