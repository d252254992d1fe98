import type { SettingSources } from './setting-sources.ts';
import {
  type Approach,
  type Approval,
  approaches,
  approvals,
  type BackupKind,
  backupKinds,
  chooseStrategy,
  type Environment,
  environments,
  type Strategy,
  validations,
} from './strategy.ts';

/** How boldly to migrate, and where. */
export interface StrategySettings {
  readonly environment: Environment | undefined;
  /** Chosen by name or by the environment; what was stated otherwise is already in it. */
  readonly strategy: Strategy;
}

/** Reads environment and strategy; notes what excludes each other. */
export function readStrategy(
  sources: SettingSources,
  flags: { readonly aggressive: boolean; readonly requireApproval: boolean },
): StrategySettings {
  const { reader, pick } = sources;
  const environmentName = pick('environment');
  const environment = reader.oneOf(environmentName, environments);
  const approach = readApproach(sources, flags.aggressive);
  if (approach === 'aggressive' && environment === 'production') {
    reader.mistake(environmentName, 'the aggressive strategy never runs in production', 'production');
  }
  const usual = chooseStrategy(approach, environment);
  const lockTimeout = pick('lockTimeout');
  return {
    environment,
    strategy: {
      ...usual,
      timeoutMilliseconds: reader.duration(pick('timeout'), usual.timeoutMilliseconds),
      lockTimeoutMilliseconds:
        reader.text(lockTimeout) === undefined
          ? usual.lockTimeoutMilliseconds
          : reader.duration(lockTimeout, usual.timeoutMilliseconds),
      backup: readBackup(sources, usual.backup),
      validation: reader.oneOf(pick('validation'), validations, usual.validation),
      approval: atLeastAsked(readApproval(sources, usual.approval), flags.requireApproval),
    },
  };
}

function readApproach({ reader, pick }: SettingSources, aggressive: boolean): Approach | undefined {
  const name = pick('approach');
  const approach = reader.oneOf(name, approaches);
  if (!aggressive) return approach;
  if (name === '--approach')
    reader.mistake('--aggressive', 'cannot stand beside --approach; give one of them');
  return 'aggressive';
}

function atLeastAsked(approval: Approval, required: boolean): Approval {
  return required && approval === 'none' ? 'prompt' : approval;
}

/** `false` is how one of the systems that are replaced says none. */
function readBackup({ reader, pick }: SettingSources, usual: BackupKind): BackupKind {
  const name = pick('backup');
  return reader.text(name) === 'false' ? 'none' : reader.oneOf(name, backupKinds, usual);
}

/** MIGRATION_MANUAL_APPROVAL is the same question with yes and no for answers. */
function readApproval({ reader, pick }: SettingSources, usual: Approval): Approval {
  const name = pick('approval');
  const text = reader.text(name);
  if (name !== 'MIGRATION_MANUAL_APPROVAL') return reader.oneOf(name, approvals, usual);
  if (text === 'true') return 'manual';
  if (text === 'false') return usual === 'manual' ? 'none' : usual;
  return reader.oneOf(name, approvals, usual);
}
