const bucket = 15 * 60_000;

/** Formats a time as ISO-8601 in a zone. The zone's offset is looked up once in 15 minutes: it changes no faster. */
export function zonedTimestamp(timeZone: string): (time: Date) => string {
  if (timeZone === 'UTC') return (time) => time.toISOString();
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  let known = { bucket: Number.NaN, text: '', ms: 0 };
  return (time) => {
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
