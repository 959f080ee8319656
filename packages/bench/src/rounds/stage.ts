import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { generateKeyPair } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import { DaemonClient, DaemonProcess, keepUv, keptUv, metricOf, until } from '../daemon/index.ts';
import { startFakeDify } from '../fakes/index.ts';
import { type Counts, grown, keptCounts, processCounts, processesOf } from './counts.ts';
import { resident } from './packages.ts';
import type { Aim, Phase } from './phases.ts';
import { echo, install, playRound, type RoundParts, uninstallAll } from './round.ts';
import { Sight } from './sight.ts';

export interface StageOptions {
  /** With a plugin on the real SDK. */
  readonly sdk: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

const KEY = 'rounds-inner-key';
const ADMIN_KEY = 'an-admin-key-of-thirty-two-bytes';
const CALLERS = 2;
const CALL_PAUSE_MS = 20;
/** What is no longer used is collected after so many rounds. */
const COLLECT_EVERY = 4;
/** The longest that a kill waits for the middle of something: above the time after which bytecode is compiled. */
const AIM_MS = 120_000;
/** Plugins are given ten seconds by who ends them. */
const ENDED_MS = 30_000;

/** A daemon, a Dify, and a plugin that is always there. */
export class Stage implements AsyncDisposable {
  readonly daemon: DaemonProcess;
  readonly #rest: Pick<RoundParts, 'privateKey' | 'sdk'>;
  readonly #opened: AsyncDisposableStack;
  readonly #temporary: string;
  #client: DaemonClient;

  static async open({ sdk, settings = {} }: StageOptions): Promise<Stage> {
    await using opened = new AsyncDisposableStack();
    const folder = opened.adopt(mkdtempSync(join(tmpdir(), 'rounds-')), (path) =>
      rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
    );
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const { privateKey, publicKey } = generateKeyPair(2048);
    const keyFile = join(folder, 'public.pem');
    writeFileSync(keyFile, publicKey);
    const dify = opened.use(await startFakeDify({ key: KEY }));
    const daemon = opened.use(
      await DaemonProcess.start({
        innerApi: { url: dify.url, key: KEY },
        settings: {
          ...keptUv(),
          TMPDIR: temporary,
          ADMIN_API_ENABLED: 'true',
          ADMIN_API_KEY: ADMIN_KEY,
          THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED: 'true',
          THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS: keyFile,
          ...settings,
        },
      }),
    );
    const stage = new Stage(daemon, temporary, opened.move(), { privateKey, sdk });
    try {
      await install(stage.#client, resident());
      await stage.#client.api.call('deleteAllInstallTasks', {});
      keepUv(daemon.dataDirectory);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    daemon: DaemonProcess,
    temporary: string,
    opened: AsyncDisposableStack,
    rest: Pick<RoundParts, 'privateKey' | 'sdk'>,
  ) {
    this.daemon = daemon;
    this.#temporary = temporary;
    this.#opened = opened;
    this.#rest = rest;
    this.#client = this.#connect();
  }

  get #parts(): RoundParts {
    return { ...this.#rest, daemon: this.daemon, client: this.#client };
  }

  async play(first: number, count: number): Promise<void> {
    for (let round = first; round < first + count; round++) {
      await playRound(this.#parts, round);
      if (round % COLLECT_EVERY === 0) await this.#collect();
    }
  }

  /** Calls that go on until they are ended. */
  callers(): { end(): Promise<{ readonly calls: number; readonly failed: readonly string[] }> } {
    const { pluginId } = resident();
    const over = new AbortController();
    const failed: string[] = [];
    let calls = 0;
    const one = async () => {
      while (!over.signal.aborted) {
        calls++;
        await echo(this.#client, pluginId).catch((error: unknown) => failed.push(messageOf(error)));
        await sleep(CALL_PAUSE_MS);
      }
    };
    const running = Array.from({ length: CALLERS }, one);
    return {
      async end() {
        over.abort();
        await Promise.all(running);
        return { calls, failed };
      },
    };
  }

  /** Brings the daemon into a phase, kills it there, and starts another one. `left` are the processes that outlived it. */
  async killed(round: number, phase: Phase): Promise<{ readonly hit: boolean; readonly left: readonly string[] }> {
    if (phase.without !== undefined) await this.#startWithout(phase.without);
    const hit = await this.#killedIn(phase, round);
    const running = () => processesOf(this.daemon.dataDirectory);
    const left = await until('its processes end with it', () => running().length === 0, { limitMs: ENDED_MS }).then(
      () => [],
      () => running(),
    );
    await this.daemon.start();
    await echo(this.#client, resident().pluginId);
    return { hit, left };
  }

  async #startWithout(paths: readonly string[]): Promise<void> {
    await this.daemon.stop();
    for (const path of paths) rmSync(join(this.daemon.dataDirectory, path), { recursive: true, force: true });
    await this.daemon.start();
    await echo(this.#client, resident().pluginId);
  }

  /** Whether it was killed while the phase lasted. */
  async #killedIn(phase: Phase, round: number): Promise<boolean> {
    using sight = new Sight(this.daemon);
    let reached = false;
    let over = false;
    let isThere = () => false;
    const comes = Promise.withResolvers<void>();
    const aim: Aim = {
      sight,
      comes: comes.promise,
      reached: () => {
        reached = true;
      },
      when: (look) => {
        isThere = look;
      },
    };
    const led = phase.lead(this.#parts, round, aim).then(
      () => undefined,
      // Most of what is under way breaks off with the daemon. What broke off before is told.
      (error: unknown) => (over ? undefined : error),
    );
    const ended = led.then((failed) => {
      over = true;
      return failed;
    });
    const late = performance.now() + AIM_MS;
    while (!reached && !over && performance.now() < late) {
      // Some of it takes milliseconds: there is no pause between looks.
      await nextTurn();
      reached ||= isThere();
    }
    over = true;
    await this.daemon.stop('SIGKILL');
    comes.resolve();
    const failed = await ended;
    if (failed !== undefined && !reached) throw failed;
    return reached;
  }

  async clear(): Promise<void> {
    await uninstallAll(this.#client, resident().pluginId);
  }

  /** Everything is counted once nothing moves any more. @param expected what should be reached, if it is known */
  async settledCounts(expected?: Counts): Promise<Counts> {
    const { pluginId } = resident();
    // Its connections are descriptors of the daemon.
    await this.#client[Symbol.asyncDispose]();
    this.#client = this.#connect();
    await echo(this.#client, pluginId);
    const look = () => ({ ...processCounts(this.daemon.pid), ...this.#kept() });
    await until('all sessions are closed', async () => (await metricOf(this.daemon, 'active_sessions_total')) === 0);
    let counts: Counts = {};
    const reached = async () => {
      const before = counts;
      // What a plugin had that is still ending is collected later.
      await this.#collect();
      counts = look();
      if (expected !== undefined) return Object.keys(grown(expected, counts)).length === 0;
      return JSON.stringify(before) === JSON.stringify(counts);
    };
    // What does not go away is what the report is about.
    await until('nothing moves', reached, { limitMs: 40_000, everyMs: 1000 }).catch(() => undefined);
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#opened.disposeAsync();
  }

  #kept(): Counts {
    return keptCounts({ data: this.daemon.dataDirectory, temporary: this.#temporary });
  }

  #connect(): DaemonClient {
    return new DaemonClient({ url: this.daemon.url, key: this.daemon.key, adminKey: ADMIN_KEY });
  }

  async #collect(): Promise<void> {
    await this.#client.api.call('collectEnvironments', { body: { remove: true, unused_hours: 0 } });
  }
}
