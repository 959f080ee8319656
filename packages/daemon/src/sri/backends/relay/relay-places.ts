import { chmodSync, mkdtempSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { type EgressPolicy, WayOut } from '../../egress/index.ts';
import type { SessionSecrets } from '../../session-secrets.ts';
import { RELAY_SCRIPT } from './relay-script.ts';

export interface RelayPlacesOptions {
  /** What the way out lets through. */
  readonly policy: EgressPolicy;
  readonly daemonUrl: string;
  readonly secrets: SessionSecrets;
  readonly log: Log;
}

/** The directory that a relay and this server share, with a way out that listens in it. */
export interface RelayedPlace {
  readonly directory: string;
  /** Where calls come in, once the relay listens. */
  readonly callsSocket: string;
  /** The arguments of the interpreter before the plugin's command. */
  readonly relayArguments: readonly string[];
  /** What the plugin has to know: its port and its way out. */
  readonly variables: Readonly<Record<string, string>>;
  /** The port of the plugin, in its own network. */
  readonly port: number;
  /** Where the plugin reaches the daemon, in its own network. */
  readonly daemonUrl: string;
  /** Closes the way out and removes the directory. Idempotent. */
  leave(): Promise<void>;
}

const PORT = 8080;
const WAY_OUT_PORT = 8081;
/** Other users pass, and see nothing. */
const PASSABLE = 0o711;

/** Makes places for relays. Sockets have short names wherever the data lie: a path of one may not be longer than 107 bytes. */
export class RelayPlaces {
  readonly #options: RelayPlacesOptions;
  #root: string | undefined;

  constructor(options: RelayPlacesOptions) {
    this.#options = options;
  }

  /** @param isolate the relay takes its network away itself; otherwise it has none */
  async create(identifier: string, isolate: boolean): Promise<RelayedPlace> {
    const { policy, daemonUrl, secrets, log } = this.#options;
    const directory = await mkdtemp(join(this.#own(), 'i-'));
    const wayOutSocket = join(directory, 'out');
    const callsSocket = join(directory, 'calls');
    const script = join(directory, 'relay.py');
    const wayOut = new WayOut({ at: { path: wayOutSocket }, policy, daemonUrl, secrets, identifier, log });
    try {
      await writeFile(script, RELAY_SCRIPT, { mode: 0o444 });
      await wayOut.listen();
      // The instance may be another user; the directory is its alone.
      await chmod(wayOutSocket, 0o666);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    const options = { calls: callsSocket, port: PORT, way_out: wayOutSocket, way_out_port: WAY_OUT_PORT, isolate };
    const inside = `http://127.0.0.1:${WAY_OUT_PORT}`;
    let left: Promise<void> | undefined;
    return {
      directory,
      callsSocket,
      relayArguments: ['-I', '-S', script, JSON.stringify(options)],
      port: PORT,
      daemonUrl: inside,
      variables: {
        HTTP_PROXY: inside,
        HTTPS_PROXY: inside,
        ALL_PROXY: inside,
        http_proxy: inside,
        https_proxy: inside,
        all_proxy: inside,
        NO_PROXY: '127.0.0.1,localhost,::1',
        no_proxy: '127.0.0.1,localhost,::1',
      },
      leave: () => {
        left ??= wayOut.close().then(() => rm(directory, { recursive: true, force: true }));
        return left;
      },
    };
  }

  async close(): Promise<void> {
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true });
  }

  #own(): string {
    if (this.#root === undefined) {
      this.#root = mkdtempSync(join(tmpdir(), 'sri-'));
      chmodSync(this.#root, PASSABLE);
    }
    return this.#root;
  }
}
