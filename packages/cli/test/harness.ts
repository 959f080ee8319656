/** Runs commands for tests: in this process through the parser, or as a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Outcome } from '../src/command.ts';
import { parse } from '../src/command-line/program.ts';
import { TABLE } from '../src/command-line/table.ts';
import { type CliError, toCliError } from '../src/errors.ts';
import { Io } from '../src/output/io.ts';

export interface Ran {
  outcome?: Outcome;
  error?: CliError;
  stdout: string;
  stderr: string;
  /** What the process would exit with. */
  exit: number;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dify-cli-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A command in this process, without a terminal. */
export async function dify(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const text = { stdout: '', stderr: '' };
  stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  try {
    const parsed = parse(TABLE, argv);
    if (parsed.kind === 'help') return { ...text, stdout: parsed.text, exit: 0 };
    const io = new Io(
      {
        json: parsed.globals.on('json'),
        quiet: parsed.globals.on('quiet'),
        verbose: false,
        color: false,
        input: false,
      },
      // A command under test reads no input.
      { stdin: new PassThrough() as unknown as NodeJS.ReadStream, stdout, stderr },
    );
    const { run } = await parsed.row.load();
    const outcome = await run({
      args: parsed.args,
      flags: parsed.flags,
      io,
      table: TABLE,
      cwd: options.cwd ?? process.cwd(),
      env: options.env ?? process.env,
      signal: options.signal ?? new AbortController().signal,
    });
    return { outcome, ...text, exit: outcome.exit ?? 0 };
  } catch (thrown) {
    const error = toCliError(thrown);
    return { error, ...text, exit: error.exit };
  }
}

export interface Process {
  code: number | null;
  stdout: string;
  stderr: string;
}

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

/** A command as a process; `during` may write to it and signal it. */
export function difyProcess(
  argv: readonly string[],
  options: RunOptions & { during?: (child: ReturnType<typeof spawn>) => void | Promise<void> } = {},
): Promise<Process> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  if (options.during === undefined) child.stdin.end();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text }));
    Promise.resolve(options.during?.(child)).catch(reject);
  });
}

/** A new plugin in a folder of its own. @returns its path */
export async function newPlugin(parent: string, name = 'demo', ...flags: string[]): Promise<string> {
  const made = await dify(
    ['plugin', 'init', '--quick', '--name', name, '--author', 'acme', '--description', 'A demo', ...flags],
    { cwd: parent },
  );
  if (made.error !== undefined) throw made.error;
  return join(parent, name);
}
