import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateKeyPair } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import { DaemonClient, DaemonProcess, keepUv, keptUv, metricOf, until } from '../daemon/index.ts';
import { startFakeDify } from '../fakes/index.ts';
import { type Counts, grown, keptCounts, memoryOf, processCounts, processesOf } from './counts.ts';
import { FAILING, resident, VERSIONS } from './packages.ts';
import { echo, install, playRound, type RoundParts, uninstallAll } from './round.ts';

export interface RoundsOptions {
  readonly rounds: number;
  /** With a plugin on the real SDK. */
  readonly sdk: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
}

export interface RoundsReport {
  /** Calls of the resident plugin that went on all the time. */
  readonly calls: number;
  readonly failed: readonly string[];
  readonly before: Counts;
  readonly after: Counts;
  /** MB at the beginning and after each tenth of the rounds. */
  readonly memory: readonly number[];
}

export interface KillsReport {
  readonly before: Counts;
  readonly after: Counts;
  /** What was there once the daemon had been killed, by kill: processes that outlived it. */
  readonly survivors: readonly string[];
}

const KEY = 'rounds-inner-key';
const ADMIN_KEY = 'an-admin-key-of-thirty-two-bytes';
const CALLERS = 2;
const CALL_PAUSE_MS = 20;
/** In so many rounds every package has been there. */
const FIRST_ROUNDS = Math.max(VERSIONS, Object.keys(FAILING).length);
/** What is no longer used is collected after so many rounds. */
const COLLECT_EVERY = 4;
/** The longest that a kill waits for the middle of something. */
const KILLED_WITHIN_MS = 2500;

/** Plays rounds against one daemon, which is counted before and after. The first few are not counted: they make what is kept. */
export async function runRounds(options: RoundsOptions): Promise<RoundsReport> {
  await using stage = await Stage.open(options);
  const { say, rounds } = options;
  await stage.play(0, FIRST_ROUNDS);
  const before = await stage.settledCounts();
  const memory = [memoryOf(stage.daemon.pid)];
  const callers = stage.callers();
  const part = Math.max(1, Math.floor(rounds / 10));
  for (let done = 0; done < rounds; ) {
    const next = Math.min(part, rounds - done);
    await stage.play(done, next);
    done += next;
    memory.push(memoryOf(stage.daemon.pid));
    const { processes, descriptors, threads } = processCounts(stage.daemon.pid);
    say(
      `after ${done} rounds: ${memory.at(-1)} MB, ${processes} processes, ${descriptors} descriptors, ${threads} threads`,
    );
  }
  const called = await callers.end();
  const after = await stage.settledCounts(before);
  return { ...called, before, after, memory };
}

/** Kills the daemon in the middle of rounds, starts it again, plays the round to its end, and counts what is left after collecting. */
export async function runKills(options: RoundsOptions): Promise<KillsReport> {
  await using stage = await Stage.open(options);
  const { say, rounds } = options;
  await stage.play(0, FIRST_ROUNDS);
  const before = await stage.settledCounts();
  const survivors: string[] = [];
  for (let kill = 0; kill < rounds; kill++) {
    const afterMs = Math.round((KILLED_WITHIN_MS * (kill + 0.5)) / rounds);
    survivors.push(...(await stage.killed(kill, afterMs)).map((text) => `kill ${kill}, after ${afterMs} ms: ${text}`));
    await stage.clear();
    // What was cut off goes well now; what was uploaded and never installed would be kept for a while.
    await stage.play(kill, 1);
    say(`kill ${kill} after ${afterMs} ms`);
  }
  return { before, after: await stage.settledCounts(before), survivors };
}

/** A daemon, a Dify, and a plugin that is always there. */
class Stage implements AsyncDisposable {
  readonly daemon: DaemonProcess;
  readonly #rest: Pick<RoundParts, 'privateKey' | 'sdk'>;
  readonly #opened: AsyncDisposableStack;
  readonly #temporary: string;
  #client: DaemonClient;

  static async open({ sdk, settings = {} }: RoundsOptions): Promise<Stage> {
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

  /** Plays a round, kills the daemon in it, and starts another one. Returns the processes that outlived it. */
  async killed(round: number, afterMs: number): Promise<readonly string[]> {
    // Most of what is under way breaks off.
    const cut = playRound(this.#parts, round).catch(() => undefined);
    await sleep(afterMs);
    await this.daemon.stop('SIGKILL');
    await cut;
    const left = () => processesOf(this.daemon.dataDirectory);
    const survivors = await until('its processes end with it', () => left().length === 0).then(
      () => [],
      () => left(),
    );
    await this.daemon.start();
    await echo(this.#client, resident().pluginId);
    return survivors;
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
