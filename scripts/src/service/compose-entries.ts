import { UsageError } from '../errors.ts';
import { ComposeText } from './compose-text.ts';
import type { NewService } from './name.ts';
import type { Sibling } from './sibling.ts';

/**
 * Adds a service to the text of compose.yaml: what names the sibling is there once more with the new name, so that the
 * new service has whatever shape this stack gives its services. What is there already stays as it is.
 */
export function addToCompose(text: string, { name, database }: NewService, sibling: Sibling): string {
  const compose = new ComposeText(text);
  const rename = renamer(sibling.name, name);
  const environment = ['services', sibling.bootstrap, 'environment'];
  if (!sibling.databases.has(name)) {
    compose.appendWord([...environment, 'BOOTSTRAP_SERVICES'], `${name}:${database}`);
  }
  copyLines(compose, [...environment, 'CREDENTIALS_FOLDERS'], rename);
  copyLines(compose, ['services', sibling.bootstrap, 'volumes'], rename);
  const apps = compose.keysAt(['services']).filter((key, _, all) => all.includes(`${key}-migrations`));
  const last = apps.at(-1) ?? sibling.name;
  copyService(compose, `${sibling.name}-migrations`, rename, `${last}-migrations`);
  copyService(compose, sibling.name, rename, last);
  copyLines(compose, ['volumes'], rename);
  return compose.toString();
}

/**
 * Adds what the override says of the sibling, published on a port of its own.
 *
 * @throws {UsageError} when the sibling's port is not one that a setting sets
 */
export function addToOverride(
  text: string,
  { name, portSetting }: NewService,
  {
    sibling,
    siblingSetting,
    port,
    services,
  }: { sibling: string; siblingSetting: string; port: number; services: readonly string[] },
): string {
  const compose = new ComposeText(text);
  const block = compose.blockAt(['services', sibling]);
  const published = new RegExp(`\\$\\{${siblingSetting}:-\\d+\\}`, 'g');
  if (block !== undefined && !compose.lines(block).some((line) => line.search(published) !== -1)) {
    throw new UsageError(`the port of ${sibling} in compose.override.yaml is not set by ${siblingSetting}`, {
      evidence: [`expected "127.0.0.1:\${${siblingSetting}:-<port>}:<container port>"`],
    });
  }
  const rename = renamer(sibling, name);
  const settle = (line: string) => rename(line).replace(published, `\${${portSetting}:-${port}}`);
  const apps = compose.keysAt(['services']).filter((key) => services.includes(key));
  copyService(compose, sibling, settle, apps.at(-1));
  return compose.toString();
}

/** Replaces the name of the sibling, also where it is that of its init container, its volumes or its roles. */
export function renamer(from: string, to: string): (line: string) => string {
  const ending = '(?:-migrations|-migrator|-app)?(?![\\w-])';
  const name = new RegExp(`(?<![\\w-])${from}(?=${ending})`, 'g');
  return (line) => line.replace(name, to);
}

/** Copies the lines of a block that are others once they are renamed, to its end. */
function copyLines(compose: ComposeText, path: readonly string[], rename: (line: string) => string): void {
  const block = compose.blockAt(path);
  if (block === undefined) return;
  const lines = compose.lines(block);
  const there = new Set(lines.map((line) => line.trim()));
  const copies = lines.map(rename).filter((copy, index) => copy !== lines[index] && !there.has(copy.trim()));
  compose.insert(block.to, copies);
}

/** Copies a service to after the service `last`, unless it is there; as far from it as the sibling is from its own. */
function copyService(
  compose: ComposeText,
  from: string,
  rename: (line: string) => string,
  last: string | undefined,
): void {
  const block = compose.blockAt(['services', from]);
  const end = last === undefined ? undefined : compose.blockAt(['services', last])?.to;
  if (block === undefined || end === undefined) return;
  if (compose.keysAt(['services']).includes(rename(from))) return;
  const above = compose.lines({ from: block.from - 1, to: block.from });
  compose.insert(end, [...above.filter((line) => line.trim() === ''), ...compose.lines(block).map(rename)]);
}
