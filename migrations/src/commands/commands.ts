import type { Command } from '../command.ts';
import { backup } from './backup.ts';
import { baseline } from './baseline.ts';
import { check } from './check.ts';
import { completion } from './completion.ts';
import { create } from './create.ts';
import { deps } from './deps.ts';
import { docs } from './docs.ts';
import { down } from './down.ts';
import { force } from './force.ts';
import { goTo } from './goto.ts';
import { history } from './history.ts';
import { plan } from './plan.ts';
import { recreate } from './recreate.ts';
import { rehearse } from './rehearse.ts';
import { resolve } from './resolve.ts';
import { restore } from './restore.ts';
import { rollback } from './rollback.ts';
import { seed } from './seed.ts';
import { status } from './status.ts';
import { undo } from './undo.ts';
import { up } from './up.ts';
import { validate } from './validate.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

/** Every command, as `--help` lists them under the headings. */
export const commandGroups: Readonly<Record<string, readonly Command[]>> = {
  'Commands:': [up, down, goTo, rollback, version, status, history, plan, verify],
  'Commands for authors:': [create, validate, rehearse, deps, docs],
  'Commands for the history:': [baseline, force, resolve],
  'Commands for backups:': [backup, restore],
  'Commands for apps:': [check],
  'Commands for development:': [recreate, undo, seed],
  'Other commands:': [completion],
};
