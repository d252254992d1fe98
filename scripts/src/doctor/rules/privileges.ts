import type { Place } from '../../compose/mistakes.ts';
import { placeAt, textAt, wordsAt } from '../compose-view.ts';
import { mountsOf } from '../mounts.ts';
import type { Fault, Rule } from '../rule.ts';

/** Rights that make a container as good as root on this machine, and root inside where it is asked for. */
export const needlessRights: Rule = ({ services }) =>
  services.flatMap(({ name, map }) => {
    const bad = (place: Place, fact: string, fix: string): Fault => ({
      mark: 'bad',
      place,
      subject: name,
      fact,
      because: 'who breaks into it is root on this machine',
      fix,
    });
    const faults: Fault[] = [];
    if (textAt(map, 'privileged') === 'true') {
      faults.push(
        bad(placeAt(map, 'privileged'), 'is privileged', 'leave it out; cap_add what it really needs'),
      );
    }
    const capability = (wordsAt(map, 'cap_add') ?? []).find((word) => /^(CAP_)?(ALL|SYS_ADMIN)$/i.test(word));
    if (capability !== undefined) {
      faults.push(
        bad(placeAt(map, 'cap_add'), `has the capability ${capability}`, 'the ones it really needs'),
      );
    }
    const socket = mountsOf(map).find(({ source }) => /(docker|podman)\.sock$/.test(source));
    if (socket !== undefined) {
      faults.push(
        bad(socket.place, "mounts the engine's socket", 'leave it out, or a proxy that only reads'),
      );
    }
    if (/^(0|root)(:|$)/.test(textAt(map, 'user') ?? '')) {
      faults.push({
        mark: 'note',
        place: placeAt(map, 'user'),
        subject: name,
        fact: 'runs as root',
        because:
          'what it writes to a mounted folder is root’s, and a fault of the engine is worth more to who breaks in',
        fix: 'the user of the image, or one of your own',
      });
    }
    return faults;
  });
