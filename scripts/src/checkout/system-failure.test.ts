import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderFailure } from '@lockstep/foundation';
import { afterAll, describe, expect, test } from 'vitest';
import { PreflightError, UsageError } from '../errors.ts';
import { explain } from './system-failure.ts';

const place = mkdtempSync(join(tmpdir(), 'lockstep-refusal-'));
afterAll(() => rmSync(place, { recursive: true }));

/** As Node throws it. */
function thrown(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: …, ${syscall}`), { code, syscall, path });
}

describe('F8.2 a refusal of the system', () => {
  test('thrown as it was, is one line with the path, whose it is and no stack', () => {
    const file = join(place, 'absent');
    const failure = explain(thrown('EACCES', 'open', file), '/');
    expect(failure.message).toBe(`cannot open ${file}: permission denied`);
    expect(failure.exitStatus).toBe(3);
    expect(failure.evidence.join('\n')).toMatch(new RegExp(`^${place} belongs to \\S+ \\(mode 0700\\)`));
    expect(renderFailure('stack', failure)).not.toContain('    at ');
  });

  test('for want of room tells of the disk, even when the error names no path', () => {
    const failure = explain(
      new PreflightError(`cannot write ${place}/x: no space left on the device`, {
        cause: thrown('ENOSPC', 'write'),
      }),
      '/',
    );
    expect(failure.message).toBe(`cannot write ${place}/x: no space left on the device`);
    expect(failure.evidence).toEqual([expect.stringMatching(/^\d+ MB free of \d+ MB on the disk of \/tmp/)]);
    expect(failure.hint).toContain(`df -h ${place}`);
  });

  test('wrapped, keeps the fact and the exit status of its failure', () => {
    const wrapped = new UsageError('a fact', { evidence: ['seen'] });
    wrapped.cause = thrown('EROFS', 'mkdir', place);
    expect(explain(wrapped, '/')).toMatchObject({ message: 'a fact', exitStatus: 2, evidence: ['seen'] });
    expect(explain(wrapped, '/').hint).toContain('can be written to');
  });

  test('leaves alone what gives advice of its own, and what is no refusal', () => {
    const advised = new UsageError('a fact', { hint: 'do this' });
    advised.cause = thrown('EACCES', 'open', place);
    expect(explain(advised, '/')).toBe(advised);
    expect(explain(thrown('ENOENT', 'open', place), '/').code).toBe('unexpected');
  });
});
