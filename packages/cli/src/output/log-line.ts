/** Log lines on stderr in the form people's scripts grep for: `2026/01/31 09:05:00 INFO text key=value` (section 3.1). */
export type LogFields = Record<string, string | number | boolean>;

const two = (value: number): string => String(value).padStart(2, '0');

function quoteIfNeeded(value: string): string {
  if (value !== '' && !/[\s"=\\\p{Cc}]/u.test(value)) return value;
  return JSON.stringify(value);
}

export function formatLogLine(at: Date, level: string, message: string, fields: LogFields): string {
  const day = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoteIfNeeded(String(value))}`);
  return `${day} ${time} ${level} ${message}${pairs.join('')}`;
}
