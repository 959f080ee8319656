/** The recorder, fakes and recordings that stand outside the repository, in `../shared`, and how they are run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { reservePort } from '@plugin-daemon/services';
import { delay } from '../daemon/index.ts';

export interface SharedBench {
  readonly directory: string;
  /** Where upstream's recordings are. */
  readonly golden: string;
}

export function findSharedBench(shared: string): SharedBench | undefined {
  const directory = join(shared, 'bench');
  const golden = join(shared, 'golden');
  return existsSync(join(directory, 'golden.mjs')) && existsSync(golden) ? { directory, golden } : undefined;
}

export interface ScriptResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs one of the programs to its end; its output goes to `logFile` as well, if given. */
export async function runScript(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs: number;
    readonly echo?: (line: string) => void;
  },
): Promise<ScriptResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: Buffer[] = [];
  let rest = '';
  const take = (part: Buffer) => {
    parts.push(part);
    if (!options.echo) return;
    const lines = (rest + part.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) options.echo(text);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const late = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, output: Buffer.concat(parts).toString() };
  } finally {
    clearTimeout(late);
  }
}

/**
 * The Node that is installed on the machine, as for upstream's recordings: releases differ in how they cut a streamed
 * answer into packets, and one plugin numbers its chunks by packets.
 */
function systemNode(): string {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  const found = directories.map((entry) => join(entry, 'node')).find((file) => existsSync(file));
  return found ?? process.execPath;
}

const START_LIMIT_MS = 60_000;

/** A fake server of ../shared/bench in a process of its own. */
export class SharedFake implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(
    bench: SharedBench,
    script: string,
    args: readonly string[],
    logFile: string,
    /** What is asked for until it answers; one that records what it hears has something that it does not. */
    probe = '/',
  ): Promise<SharedFake> {
    const port = await reservePort();
    const log = openSync(logFile, 'a');
    const child = spawn(systemNode(), [join(bench.directory, script), '--port', String(port), ...args], {
      stdio: ['ignore', log, log],
    });
    for (const until = Date.now() + START_LIMIT_MS; Date.now() < until; ) {
      if (child.exitCode !== null) throw new Error(`${script} ended at once, see ${logFile}`);
      try {
        await (await fetch(`http://127.0.0.1:${port}${probe}`)).arrayBuffer();
        return new SharedFake(port, child);
      } catch {
        await delay(10);
      }
    }
    child.kill();
    throw new Error(`${script} does not answer on port ${port}, see ${logFile}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill();
    await gone;
  }
}
