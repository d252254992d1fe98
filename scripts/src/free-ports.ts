import { tryPort } from './engines/ports.ts';

/** A published port that a setting can move. */
export interface MovablePort {
  readonly setting: string;
  readonly host: string;
  readonly published: number;
}

/** Between one clone's ports and the next one's: the numbers stay recognisable, and apart from each other. */
const distance = 100;
const mostClones = 50;

/**
 * Finds room for the ports when any of them is taken, as a second clone of a project finds them: all of them move by the
 * same distance, the least at which each is free. Empty when none is taken, or there is no such room.
 */
export async function moveTakenPorts(ports: readonly MovablePort[]): Promise<ReadonlyMap<string, number>> {
  for (let clone = 0; clone < mostClones; clone++) {
    const moved = ports.map((port) => ({ ...port, published: port.published + clone * distance }));
    if (moved.some(({ published }) => published > 65_535)) break;
    const codes = await Promise.all(moved.map(({ host, published }) => tryPort(host, published)));
    // Only a port in use calls for another one; what else is wrong with it, `up` says.
    if (codes.includes('EADDRINUSE')) continue;
    return new Map(clone === 0 ? [] : moved.map(({ setting, published }) => [setting, published]));
  }
  return new Map();
}
