import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { days, describeInstant, isZone, type MaintenanceWindow, parseTime, windowState } from './window.ts';

const berlin = (from: string, to: string, ...on: (typeof days)[number][]): MaintenanceWindow => ({
  days: on,
  from: parseTime(from) ?? Number.NaN,
  to: parseTime(to) ?? Number.NaN,
  zone: 'Europe/Berlin',
});

describe('a window', () => {
  it('is open from its begin, inclusive, to its end, exclusive, by the clock of its zone', () => {
    const window = berlin('09:00', '10:30', 'thursday');
    const at = (utc: string) => windowState([window], new Date(`2026-11-26T${utc}Z`));
    expect(at('07:59:59')).toEqual({ open: false, opens: new Date('2026-11-26T08:00:00Z') });
    expect(at('08:00:00')).toEqual({ open: true, closes: new Date('2026-11-26T09:30:00Z') });
    expect(at('09:29:59').open).toBe(true);
    expect(at('09:30:00')).toEqual({ open: false, opens: new Date('2026-12-03T08:00:00Z') });
  });

  it('over midnight belongs to the day on which it begins', () => {
    const window = berlin('22:00', '02:00', 'tuesday');
    const open = (local: string) => windowState([window], new Date(`${local}+01:00`)).open;
    expect(open('2026-11-24T21:59')).toBe(false);
    expect(open('2026-11-24T22:00')).toBe(true);
    expect(open('2026-11-25T01:59')).toBe(true);
    expect(open('2026-11-25T02:00')).toBe(false);
    expect(open('2026-11-25T22:30')).toBe(false);
    expect(open('2026-11-24T01:00')).toBe(false);
  });

  it('that ends at 24:00 ends with the day', () => {
    const window = berlin('00:00', '24:00', 'sunday');
    expect(windowState([window], new Date('2026-11-29T12:00Z'))).toEqual({
      open: true,
      closes: new Date('2026-11-29T23:00Z'),
    });
  });

  it('follows summer time: an hour that is left out opens at its end, one that is told twice is open twice', () => {
    const night = berlin('02:30', '03:30', 'sunday');
    // 2026-03-29: 02:00 becomes 03:00.
    expect(windowState([night], new Date('2026-03-29T00:30Z'))).toEqual({
      open: false,
      opens: new Date('2026-03-29T01:00Z'),
    });
    // 2026-10-25: 03:00 becomes 02:00.
    expect(windowState([night], new Date('2026-10-25T00:30Z')).open).toBe(true);
    expect(windowState([night], new Date('2026-10-25T01:00Z')).open).toBe(false);
    expect(windowState([night], new Date('2026-10-25T01:30Z')).open).toBe(true);
  });

  it('opens when it says it does, whenever it is asked', () => {
    const window = fc.record({
      days: fc.uniqueArray(fc.constantFrom(...days), { minLength: 1 }),
      from: fc.integer({ min: 0, max: 1439 }),
      to: fc.integer({ min: 0, max: 1440 }),
      zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu'),
    });
    fc.assert(
      fc.property(window, fc.integer({ min: 1.7e9, max: 1.9e9 }), (only, seconds) => {
        fc.pre(only.from !== only.to && !(only.from === 0 && only.to === 1440));
        const now = new Date(seconds * 1000);
        const state = windowState([only], now);
        const change = state.open ? state.closes : state.opens;
        expect(change.getTime()).toBeGreaterThan(now.getTime());
        expect(windowState([only], change).open).toBe(!state.open);
      }),
      { numRuns: 25 },
    );
  });
});

it('reads times and zones strictly', () => {
  expect(['00:00', '24:00', '23:59'].map(parseTime)).toEqual([0, 1440, 1439]);
  for (const wrong of ['24:01', '9:00', '09:60', '', '9', '-1:00', '０９:00', '09:00 ']) {
    expect(parseTime(wrong)).toBeUndefined();
  }
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('Mars/Olympus')).toBe(false);
  expect(describeInstant(new Date('2026-12-01T21:00Z'), 'Europe/Berlin')).toBe(
    'Tue 2026-12-01 22:00 Europe/Berlin',
  );
});
