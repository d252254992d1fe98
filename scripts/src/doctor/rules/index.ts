import type { Rule } from '../rule.ts';
import {
  blankInHealthcheck,
  interval,
  socketHealthcheck,
  startInterval,
  unhealthyForEver,
} from './health.ts';
import { unpinnedImage } from './images.ts';
import { startedOneShot, unawaitedOneShot, ungatedApp } from './one-shots.ts';
import { fixedPort, hiddenPort, openPort } from './ports.ts';
import { postgresConnections, postgresStopSignal, postgresVolume } from './postgres.ts';
import { needlessRights } from './privileges.ts';
import { restartedOneShot, unrestartedServer } from './restart.ts';
import { secretInEnvironment } from './secrets.ts';
import { fixedName, undeclaredVolume } from './volumes.ts';

/** Every rule for compose files, by the name it is reported under. */
export const rules: Readonly<Record<string, Rule>> = {
  'ungated-app': ungatedApp,
  'unawaited-one-shot': unawaitedOneShot,
  'started-one-shot': startedOneShot,
  'restarted-one-shot': restartedOneShot,
  'unrestarted-server': unrestartedServer,
  'socket-healthcheck': socketHealthcheck,
  'missing-healthcheck': unhealthyForEver,
  'blank-in-healthcheck': blankInHealthcheck,
  'start-interval': startInterval,
  'probe-interval': interval,
  'postgres-volume': postgresVolume,
  'postgres-stop-signal': postgresStopSignal,
  'postgres-connections': postgresConnections,
  'undeclared-volume': undeclaredVolume,
  'open-port': openPort,
  'hidden-port': hiddenPort,
  'fixed-port': fixedPort,
  'fixed-name': fixedName,
  'secret-in-environment': secretInEnvironment,
  'unpinned-image': unpinnedImage,
  'needless-rights': needlessRights,
};
