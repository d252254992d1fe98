import { showPath } from '../folder.ts';
import { jsonVersion } from '../json.ts';
import type { Report, ReportNames } from '../report.ts';
import type { Created } from './create.ts';

/** `create`: the files, a line each, so that they can be opened from where they are printed. */
export function reportCreated(
  created: readonly Created[],
  dryRun: boolean,
  { service }: ReportNames,
): Report {
  const files = created.flatMap(({ label, up, down, upText, downText }) => [
    { label, path: showPath(up), direction: 'up', text: upText },
    { label, path: showPath(down), direction: 'down', text: downText },
  ]);
  const shown = dryRun
    ? files.map(({ path, text }) => `==> ${path}\n${text}`)
    : files.map(({ path }) => path);
  return {
    text: shown.join('\n').trimEnd(),
    json: {
      service: service ?? null,
      dryRun,
      files: files.map(({ label, path, direction, text }) => ({
        path,
        version: jsonVersion(BigInt(label)),
        direction,
        ...(dryRun ? { text } : {}),
      })),
    },
  };
}
