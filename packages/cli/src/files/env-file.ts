/** The few variables `plugin dev` reads from a plugin's .env file. */

import { parseEnv } from 'node:util';
import { systemCode } from '../errors.ts';
import { readNamedFile } from './read.ts';

export async function readEnvFile(path: string): Promise<Record<string, string>> {
  try {
    const parsed = parseEnv((await readNamedFile(path)).toString('utf8'));
    return Object.fromEntries(
      Object.entries(parsed).flatMap(([name, value]) => (value === undefined ? [] : [[name.toUpperCase(), value]])),
    );
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

/** `host:port` or a URL with a port. */
export function parseDebugAddress(text: string): { host: string; port: number } | undefined {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `tcp://${text}`;
  if (!URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  const port = Number(url.port);
  return url.hostname === '' || !Number.isInteger(port) || port < 1
    ? undefined
    : { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
