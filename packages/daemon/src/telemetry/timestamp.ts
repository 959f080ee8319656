const bucket = 15 * 60_000;

/** The time now, ISO-8601 in UTC. A busy daemon asks many times in a second, of which only the milliseconds change. */
export function utcNow(): () => string {
  let known = { second: Number.NaN, text: '' };
  return () => {
    const ms = Date.now();
    const second = Math.floor(ms / 1000);
    // Without its milliseconds and its `Z`.
    if (second !== known.second) known = { second, text: new Date(ms).toISOString().slice(0, -4) };
    return `${known.text}${String(ms - second * 1000).padStart(3, '0')}Z`;
  };
}

/** Writes a time, given as ISO-8601 in UTC, in a zone. The zone's offset is looked up once in 15 minutes: it changes no faster. */
export function zonedTimestamp(timeZone: string): (time: string) => string {
  if (timeZone === 'UTC') return (time) => time;
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  let known = { bucket: Number.NaN, text: '', ms: 0 };
  return (text) => {
    const time = new Date(text);
    const at = Math.floor(time.getTime() / bucket);
    if (at !== known.bucket) known = { bucket: at, ...offsetAt(format, time) };
    return new Date(time.getTime() + known.ms).toISOString().replace('Z', known.text);
  };
}

function offsetAt(format: Intl.DateTimeFormat, time: Date): { text: string; ms: number } {
  const name = format.formatToParts(time).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(name);
  if (match === null) return { text: 'Z', ms: 0 };
  const [, sign, hours, minutes] = match;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return { text: `${sign}${hours}:${minutes}`, ms: sign === '-' ? -ms : ms };
}
