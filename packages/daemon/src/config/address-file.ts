import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { isObject } from '@plugin-daemon/values';
import { layoutOf } from './layout.ts';

export interface Listening {
  readonly http: AddressInfo;
  /** Where plugins under debugging connect; undefined when they may not. */
  readonly debugging: AddressInfo | undefined;
}

/**
 * Writes into the data directory where this daemon listens, for the command line on the same machine: the key is there already.
 * @returns takes the file away again
 */
export function writeAddressFile(directory: string, { http, debugging }: Listening): () => void {
  const path = layoutOf(directory).address;
  const content = {
    url: `http://${reachable(http)}`,
    ...(debugging !== undefined && { debugging: reachable(debugging) }),
    pid: process.pid,
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return () => rmSync(path, { force: true });
}

/** What a daemon that uses the directory wrote there: `url`, and where plugins under debugging connect. Undefined where none does. */
export function readAddressFile(directory: string): { readonly url: string; readonly debugging?: string } | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(layoutOf(directory).address, 'utf8'));
    if (!isObject(content) || typeof content.url !== 'string') return undefined;
    const { url, debugging } = content;
    return typeof debugging === 'string' ? { url, debugging } : { url };
  } catch {
    // No daemon runs here, it is another user's, or it is just being replaced: the settings say the same.
    return undefined;
  }
}

/** Where a server that listens there is reached from its own machine. */
export const addressHere = (host: string, port: number): string =>
  reachable({ address: host, port, family: host.includes(':') ? 'IPv6' : 'IPv4' });

/** An address that can be connected to: one that means "everywhere" is reached on the loopback. */
function reachable({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `127.0.0.1:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
