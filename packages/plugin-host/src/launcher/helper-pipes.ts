/** The pipes of a process that a helper starts: three connections to the launcher's socket that show what only that launch knows. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADER_BYTES } from './helper-script.ts';

export type Pipes = readonly [stdin: Socket, stdout: Socket, stderr: Socket];

const TOKEN_BYTES = 16;
/** A plugin's header follows its connection at once; whoever stays silent is not the helper. */
const HEADER_MS = 5_000;

export class AwaitedPipes {
  /** Of this launch alone: a process that is forked has what its parent knew. */
  readonly token: string = randomBytes(TOKEN_BYTES).toString('hex');
  readonly #all = Promise.withResolvers<Pipes>();
  readonly #connected: (Socket | undefined)[] = [undefined, undefined, undefined];

  constructor() {
    this.#all.promise.catch(() => {}); // the same failure is told of the launch
  }

  get pipes(): Promise<Pipes> {
    return this.#all.promise;
  }

  /** @returns whether it belongs here */
  take(channel: number, token: string, socket: Socket): boolean {
    if (token !== this.token || !(channel <= 2)) return false;
    this.#connected[channel] = socket;
    const [stdin, stdout, stderr] = this.#connected;
    if (stdin && stdout && stderr) this.#all.resolve([stdin, stdout, stderr]);
    return true;
  }

  fail(error: Error): void {
    this.#all.reject(error);
  }

  destroy(): void {
    for (const socket of this.#connected) socket?.destroy();
  }
}

/** Reads whose pipe a connection is, and hands it over; strangers are cut off. */
export function introduce(socket: Socket, awaited: (launch: number) => AwaitedPipes | undefined): void {
  socket.on('error', () => socket.destroy()); // a reset by a plugin that died: its exit is reported, writers learn from their callback
  const timer = setTimeout(() => socket.destroy(), HEADER_MS);
  const look = () => {
    const header: Buffer | null = socket.read(HEADER_BYTES);
    if (header === null) return;
    clearTimeout(timer);
    socket.off('readable', look);
    const text = header.toString('latin1');
    const pipes = awaited(Number(text.slice(TOKEN_BYTES * 2 + 1)));
    const isOurs = pipes?.take(Number(text[TOKEN_BYTES * 2]), text.slice(0, TOKEN_BYTES * 2), socket) ?? false;
    if (!isOurs) socket.destroy();
  };
  socket.on('readable', look);
  look();
}

/** A socket in a folder of its own, which is for this user alone. @param opened what closes both */
export async function listening(
  opened: AsyncDisposableStack,
): Promise<{ readonly server: Server; readonly folder: string; readonly address: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-launcher-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const address = join(folder, 'socket');
  const server = createServer({ pauseOnConnect: true });
  opened.defer(() => void server.close());
  server.listen(address);
  await once(server, 'listening');
  return { server, folder, address };
}
