import { InvalidValue } from './setting.ts';

/** What `DB_EXTRAS` says, taken apart. */
export interface DatabaseExtras {
  /** What libpq calls `options`: arguments for the server. */
  readonly options?: string;
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

const files: ReadonlySet<string> = new Set(['sslrootcert', 'sslcert', 'sslkey']);

/**
 * Reads `options=-c name=value --name=value sslrootcert=/path`: what begins with a dash, with the word after `-c`, is for the
 * server; `options=` may stand before it, once or several times, as the existing daemon takes it, and single quotes around it.
 * @throws InvalidValue for anything else
 */
export function parseDatabaseExtras(raw: string): DatabaseExtras {
  const forServer: string[] = [];
  const named: Record<string, string> = {};
  const words = raw
    .replaceAll('options=', ' ')
    .replaceAll("'", ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-c') {
      at++;
      forServer.push('-c', words[at] ?? '');
    } else if (word.startsWith('-')) forServer.push(word);
    else {
      const [name = '', ...value] = word.split('=');
      if (!files.has(name) || value.length === 0) throw unknown(word);
      named[name] = value.join('=');
    }
  }
  return { ...named, ...(forServer.length > 0 && { options: forServer.join(' ') }) };
}

const unknown = (word: string): InvalidValue =>
  new InvalidValue(
    `has the unknown option ${word.slice(0, 100)}`,
    'write options of the server as "options=-c name=value", and sslrootcert, sslcert, sslkey with a path; for everything else there are settings (docs/configuration.md)',
  );
