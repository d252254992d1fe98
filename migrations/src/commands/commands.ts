import type { Command } from '../command.ts';
import { check } from './check.ts';
import { down } from './down.ts';
import { plan } from './plan.ts';
import { recreate } from './recreate.ts';
import { status } from './status.ts';
import { undo } from './undo.ts';
import { up } from './up.ts';
import { verify } from './verify.ts';
import { version } from './version.ts';

/** Every command, as `--help` lists them under the headings. */
export const commandGroups: Readonly<Record<string, readonly Command[]>> = {
  'Commands:': [up, down, version, status, plan, verify],
  'Commands for apps:': [check],
  'Commands for development:': [recreate, undo],
};
