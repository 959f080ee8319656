import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const NAME = 'address.json';

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
  const path = join(directory, NAME);
  const content = {
    url: `http://${reachable(http)}`,
    ...(debugging !== undefined && { debugging: reachable(debugging) }),
    pid: process.pid,
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return () => rmSync(path, { force: true });
}

/** An address that can be connected to: one that means "everywhere" is reached on the loopback. */
function reachable({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `127.0.0.1:${port}`;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
