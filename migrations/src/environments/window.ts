/** Days as environments.json spells them, Monday first. */
export const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Day = (typeof days)[number];

/** When an environment may migrate. One whose end is not after its begin ends on the next day. */
export interface MaintenanceWindow {
  readonly days: readonly Day[];
  /** Minutes after midnight, in `zone`. */
  readonly from: number;
  readonly to: number;
  /** IANA name: `Europe/Berlin`. */
  readonly zone: string;
}

const weekdays: readonly string[] = days;
const minute = 60_000;
const minutesOfDay = 24 * 60;
/** Each window opens once a week at least. */
const farthest = 8 * minutesOfDay;

/** What one instant is by the windows. */
export type WindowState =
  | { readonly open: true; readonly closes: Date }
  | { readonly open: false; readonly opens: Date };

/** Whether `now` lies in one of the windows, and when that changes; within a minute. */
export function windowState(windows: readonly MaintenanceWindow[], now: Date): WindowState {
  const clocks = windows.map((window) => ({ window, clock: clockOf(window.zone) }));
  const openAt = (time: Date) => clocks.some(({ window, clock }) => contains(window, clock(time)));
  const open = openAt(now);
  // By whole minutes of the clock on the wall, whatever summer time makes of it.
  let time = Math.floor(now.getTime() / minute) * minute;
  for (let step = 0; step < farthest; step++) {
    time += minute;
    if (openAt(new Date(time)) !== open) break;
  }
  return open ? { open, closes: new Date(time) } : { open, opens: new Date(time) };
}

interface Reading {
  readonly day: number;
  readonly minutes: number;
}

function contains({ days: on, from, to }: MaintenanceWindow, { day, minutes }: Reading): boolean {
  const isOn = (index: number) => on.includes(days[(index + 7) % 7] ?? 'monday');
  if (from < to) return isOn(day) && minutes >= from && minutes < to;
  // Over midnight: the evening of a day of the list, or the morning after one.
  return (isOn(day) && minutes >= from) || (isOn(day - 1) && minutes < to);
}

/** Reads the clock on a wall in `zone`. */
function clockOf(zone: string): (time: Date) => Reading {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'long',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const day = weekdays.indexOf(parts.get('weekday')?.toLowerCase() ?? '');
    return { day, minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  };
}

/** `tuesday and thursday, 22:00 to 02:00 (Europe/Berlin)` */
export function describeWindow({ days: on, from, to, zone }: MaintenanceWindow): string {
  const which = on.length === days.length ? 'every day' : on.join(', ');
  return `${which}, ${spellTime(from)} to ${spellTime(to)} (${zone})`;
}

/** `Tue 2026-12-01 22:00 Europe/Berlin` */
export function describeInstant(time: Date, zone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? '';
  return `${part('weekday')} ${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${zone}`;
}

function spellTime(minutes: number): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

/** `22:00` as minutes after midnight; `24:00` is the end of the day; undefined when it is neither. */
export function parseTime(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{2}):(\d{2})$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const value = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && value <= minutesOfDay ? value : undefined;
}

export function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
