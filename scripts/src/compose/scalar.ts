/** What a plain scalar is by the rules of go-yaml v3, which Docker Compose reads its files with. */
export type ScalarType = 'string' | 'int' | 'float' | 'bool' | 'null' | 'time';

export interface Resolved {
  readonly type: ScalarType;
  readonly value: string | number | boolean | null;
  /** As Go prints the value, which is what Compose makes of it where a string is wanted: `1e10` is `1e+10`. */
  readonly text: string;
}

const constants: ReadonlyMap<string, Resolved> = new Map<string, Resolved>([
  ...['', '~', 'null', 'Null', 'NULL'].map(
    (word) => [word, { type: 'null', value: null, text: '' }] as const,
  ),
  ...['true', 'True', 'TRUE'].map((word) => [word, { type: 'bool', value: true, text: 'true' }] as const),
  ...['false', 'False', 'FALSE'].map(
    (word) => [word, { type: 'bool', value: false, text: 'false' }] as const,
  ),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, float(Number.NaN)] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, float(Infinity)] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, float(-Infinity)] as const),
]);

/**
 * Reads a plain (unquoted) scalar: YAML 1.2 with octal `0123`, `0b11` and digits grouped by `_`, and with dates
 * (go-yaml v3, `resolve.go`). `yes`, `no`, `on` and `off` are words.
 */
export function resolveScalar(source: string): Resolved {
  const constant = constants.get(source);
  if (constant !== undefined) return constant;
  if (/^\.\d+(?:[eE][-+]?\d+)?$/.test(source)) return float(Number(source));
  if (!/^[-+\d]/.test(source)) return word(source);
  if (isTimestamp(source)) return { type: 'time', value: source, text: source };
  const plain = source.replaceAll('_', '');
  return integer(plain) ?? decimal(plain) ?? word(source);
}

/** A scalar that is a string whatever it looks like: quoted, or a block. */
export function word(text: string): Resolved {
  return { type: 'string', value: text, text };
}

const most = 2n ** 64n;
const least = -(2n ** 63n);

function integer(plain: string): Resolved | undefined {
  const [, sign = '', digits = ''] =
    /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(plain) ?? [];
  if (digits === '') return undefined;
  const size = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const value = sign === '-' ? -size : size;
  // Only a number without a sign may need the 64th bit.
  if (value < least || value >= (sign === '' ? most : most / 2n)) return undefined;
  return { type: 'int', value: Number(value), text: String(value) };
}

function decimal(plain: string): Resolved | undefined {
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? float(value) : undefined;
}

function float(value: number): Resolved {
  return { type: 'float', value, text: goFloat(value) };
}

/** As Go's `%v` prints a float64: the shortest digits, with an exponent from 1e+06 and below 1e-04. */
function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 6)) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

const timestamp =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d))|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?$/;

function isTimestamp(source: string): boolean {
  const match = timestamp.exec(source);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, ...times] = match.slice(1).map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = month >= 1 && month <= 12 && date.getUTCMonth() === month - 1 && day >= 1;
  return isDate && times.every((part, index) => part < (index % 3 === 0 ? 24 : 60));
}
