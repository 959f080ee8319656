/**
 * Timestamps as text: nanoseconds and offset are kept, which a Date would lose. Result is RFC 3339 with trailing zeros of
 * the fraction removed, or null when the text is none.
 */

const PLAIN =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2}))| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?)?$/;
const STRICT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** An unquoted YAML scalar: also dates alone and one-digit parts. */
export function plainTimestamp(text: string): string | null {
  const m = PLAIN.exec(text);
  if (m === null) return null;
  const [, year = '', month = '', day = ''] = m;
  return format(
    [year, month, day, m[4] ?? m[9] ?? '0', m[5] ?? m[10] ?? '0', m[6] ?? m[11] ?? '0'],
    m[7] ?? m[12],
    m[8] ?? 'Z',
  );
}

/** A quoted scalar or a JSON string: RFC 3339 only. */
export function strictTimestamp(text: string): string | null {
  const m = STRICT.exec(text);
  if (m === null) return null;
  return format(m.slice(1, 7), m[7], m[8] ?? 'Z');
}

function format(parts: readonly string[], fraction: string | undefined, zone: string): string | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 60)) return null;
  const two = (n: number) => String(n).padStart(2, '0');
  const digits = (fraction ?? '').slice(0, 9).replace(/(?<!0)0+$/, '');
  const offset = zone === 'Z' || /^[+-]00:00$/.test(zone) ? 'Z' : zone;
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${digits === '' ? '' : `.${digits}`}${offset}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** What a refused timestamp is told. */
export function timestampError(text: string): string {
  const layout = '2006-01-02T15:04:05Z07:00';
  const date = /^\d{4}-\d{2}-\d{2}/.exec(text);
  const rest = date === null ? text : text.slice(date[0].length);
  const missing = date === null ? '2006' : 'T';
  return `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${missing}"`;
}
