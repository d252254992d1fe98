import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from '../operation.ts';
import type { DependencyGate } from './gate.ts';

/** Loads nothing for services that have to do with no other. */
export async function openGate(operation: Operation): Promise<DependencyGate | undefined> {
  if (!existsSync(join(operation.settings.path, 'dependencies.json'))) return undefined;
  const { DependencyGate } = await import('./gate.ts');
  return DependencyGate.open(operation);
}

/**
 * Tells the services that need this one how far it is; also when there was nothing to do, as the file may be new. Never fails: what was
 * applied is applied, whether or not others hear of it.
 */
export async function tellOthers(operation: Operation): Promise<void> {
  try {
    const gate = await openGate(operation);
    if (gate === undefined) return;
    const session = await operation.connect();
    try {
      await gate.publish(session);
    } finally {
      await session.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    operation.log.warn(`other services are not told how far this one is: ${reason}`);
  }
}
