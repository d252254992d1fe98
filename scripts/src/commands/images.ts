import { requireAccess } from '../checkout/access.ts';
import { environment } from '../environment.ts';
import { buildProjectImages } from '../images/build-project.ts';
import { type BuiltImage, buildStandIns } from '../images/build-stand-ins.ts';
import { chooseContainerProgram } from '../images/choose-program.ts';
import { settingsOf } from '../prepare.ts';
import { renderTable } from '../table.ts';
import { type GlobalOptions, projectOf, type Terminal } from './context.ts';

/** What `stack images` is told. */
export interface ImagesOptions extends GlobalOptions {
  /** Build the stand-ins for the official images first. */
  readonly offline: boolean;
  /** With them the image for builds from sources. */
  readonly withNpm: boolean;
}

/** Builds the project's images, and before them what stands in for official ones; see `stack images --help`. */
export async function images(options: ImagesOptions, terminal: Terminal): Promise<void> {
  const project = projectOf(options);
  requireAccess(project);
  const program = await chooseContainerProgram(options.engine, project);
  const place = {
    program,
    root: project.root,
    stateFolder: project.stateFolder,
    report: (sentence: string) => terminal.err(`${sentence}\n`),
    signal: terminal.signal,
  };
  const offline = options.offline || isOn(environment['OFFLINE']);
  const standIns = offline ? await buildStandIns(place, options.withNpm) : [];
  const own = await buildProjectImages(place, settingsOf(project));
  terminal.out(imagesTable([...standIns, ...own]));
  terminal.err(`images in ${(performance.now() / 1000).toFixed(1)} s on ${program}\n`);
}

function isOn(value: string | undefined): boolean {
  return !['', '0', 'no', 'false', undefined].includes(value?.toLowerCase());
}

/** Own layers beside all: what is on top of the base image is what the project adds. */
function imagesTable(all: readonly BuiltImage[]): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const rows = all.map(({ reference, built, seconds, bytes, ownBytes, title }) => [
    reference,
    built ? `built in ${seconds.toFixed(1)} s` : 'unchanged',
    megabytes(bytes),
    megabytes(ownBytes),
    title,
  ]);
  return renderTable([['image', 'state', 'MB', 'own MB', ''], ...rows]);
}
