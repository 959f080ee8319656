import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { SettingsError } from './settings-error.ts';

/** A shared secret of the daemon and where it came from. */
export interface DaemonKey {
  readonly value: string;
  /** The file it was generated into; undefined when it was configured. */
  readonly file: string | undefined;
}

/** The configured key, else the one in the file, else a new one written there (mode 0600). */
export function provideKey(variable: string, configured: string | undefined, file: string): DaemonKey {
  if (configured !== undefined) return { value: configured, file: undefined };
  try {
    return { value: readKey(variable, file) ?? writeKey(file), file };
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError([
      {
        variable,
        value: '',
        problem: `is not configured, and its generated key cannot be kept in ${file} (${String(error)})`,
        remedy: `set ${variable}, or make the file readable and writable for this user`,
      },
    ]);
  }
}

/** The former key, accepted beside the current one: configured, else the one that was put away as `file.previous`. */
export function formerKey(variable: string, configured: string | undefined, file: string): string | undefined {
  return configured ?? readKey(variable, `${file}.previous`);
}

function readKey(variable: string, file: string): string | undefined {
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (!/^[\x21-\x7e]{16,}$/.test(key)) {
    throw new SettingsError([
      {
        variable,
        value: '',
        problem: `is not configured, and ${file} does not hold a key of at least 16 printable characters`,
        remedy: `write the key Dify uses into that file, or delete the file to have a new one generated`,
      },
    ]);
  }
  chmodSync(file, 0o600);
  return key;
}

function writeKey(file: string): string {
  const key = randomBytes(42).toString('base64url');
  const temporary = `${file}.new`;
  writeFileSync(temporary, `${key}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, file);
  return key;
}
