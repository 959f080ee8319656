import { messageOf } from '@plugin-daemon/values';
import { type Counts, memoryOf, processCounts } from './counts.ts';
import { FAILING, VERSIONS } from './packages.ts';
import { PHASES } from './phases.ts';
import { Stage, type StageOptions } from './stage.ts';

export interface RoundsOptions extends StageOptions {
  readonly rounds: number;
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

/** How often the daemon was killed in the middle of something. */
export interface KilledIn {
  readonly phase: string;
  readonly kills: number;
  /** So many of them while it lasted; the others when it was over already. */
  readonly hit: number;
}

export interface KillsReport {
  readonly before: Counts;
  readonly after: Counts;
  readonly phases: readonly KilledIn[];
  /** What was there once the daemon had been killed, by kill: processes that outlived it. */
  readonly survivors: readonly string[];
}

/** In so many rounds every package has been there. */
const FIRST_ROUNDS = Math.max(VERSIONS, Object.keys(FAILING).length);

/** Programs may be part of a command. */
const COMMAND_SHOWN = 200;

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

/**
 * Kills the daemon in the middle of everything that it may be in the middle of, in turn, starts it again, plays a round to its end, and
 * counts what is left after collecting.
 */
export async function runKills(options: RoundsOptions): Promise<KillsReport> {
  await using stage = await Stage.open(options);
  const { say, rounds, sdk } = options;
  const phases = PHASES.filter((phase) => sdk || phase.sdk !== true);
  await stage.play(0, FIRST_ROUNDS);
  const before = await stage.settledCounts();
  const survivors: string[] = [];
  const killed = new Map<string, { kills: number; hit: number }>();
  for (let kill = 0; kill < rounds; kill++) {
    // A few kills are spread over all of them.
    const phase = phases[rounds < phases.length ? Math.floor((kill * phases.length) / rounds) : kill % phases.length];
    if (phase === undefined) throw new Error('there is nothing to kill it in');
    const { hit, left } = await stage.killed(kill, phase).catch((error: unknown) => {
      throw new Error(`kill ${kill}, while ${phase.name}: ${messageOf(error)}`, { cause: error });
    });
    survivors.push(...left.map((text) => `kill ${kill}, while ${phase.name}: ${text.slice(0, COMMAND_SHOWN)}`));
    const sum = killed.get(phase.name) ?? { kills: 0, hit: 0 };
    killed.set(phase.name, { kills: sum.kills + 1, hit: sum.hit + Number(hit) });
    await stage.clear();
    // What was cut off goes well now; what was uploaded and never installed would be kept for a while.
    await stage.play(kill, 1);
    say(`kill ${kill} ${hit ? 'while' : 'MISSED: it was over that'} ${phase.name}`);
  }
  return {
    before,
    after: await stage.settledCounts(before),
    phases: [...killed].map(([phase, counts]) => ({ phase, ...counts })),
    survivors,
  };
}
