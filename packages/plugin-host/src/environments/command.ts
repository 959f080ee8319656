import type { Readable } from 'node:stream';
import type { LaunchSpec, PluginProcess, ProcessLauncher } from '../launcher/index.ts';
import { OutputLines } from './output-lines.ts';

export interface CommandSpec extends LaunchSpec {
  readonly signal: AbortSignal;
  /** Killed when it has run this long; seconds. */
  readonly timeoutSeconds: number;
  /** Killed when it has written nothing for this long; seconds, 0 for no such limit. */
  readonly inactivitySeconds?: number;
  /** Killed when both streams together have written this much; bytes, OUTPUT_BYTES unless given. */
  readonly outputBytes?: number;
  /** The lines of stdout and stderr as they come, cut at MAX_LINE_CHARACTERS, without their newlines. */
  readonly onLines?: (lines: readonly string[], stream: 'stdout' | 'stderr') => void;
}

export interface CommandResult {
  readonly ok: boolean;
  /** `exit status 2`, `signal: killed`: in the words upstream uses. */
  readonly status: string;
  /** Why we ended it ourselves. */
  readonly ended: 'timeout' | 'inactivity' | 'output' | undefined;
  /** The end of each stream: what is said last explains a failure. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A verbose installation of 200 packages writes less than 1 MiB; only something broken or hostile writes this much. */
export const OUTPUT_BYTES = 64 * 1024 * 1024;
/** Time between asking and forcing; uv removes its temporary files when asked. */
const GRACE_MS = 1000;

/**
 * Runs one command in its own process group to its end. Resolves whatever its exit status is; rejects when it cannot be
 * started, and with the signal's reason when that is aborted, after the whole group has been killed.
 */
export async function runCommand(launcher: ProcessLauncher, spec: CommandSpec): Promise<CommandResult> {
  spec.signal.throwIfAborted();
  const { signal, timeoutSeconds, inactivitySeconds, outputBytes, onLines, ...launch } = spec;
  const running = await launcher.launch(launch);
  running.stdin.end();

  let ended: CommandResult['ended'];
  let lastOutput = performance.now();
  let written = 0;
  let forced: NodeJS.Timeout | undefined;
  const stop = () => {
    running.kill('SIGTERM');
    forced ??= setTimeout(() => running.kill('SIGKILL'), GRACE_MS);
  };
  const total = setTimeout(() => {
    ended ??= 'timeout';
    stop();
  }, timeoutSeconds * 1000);
  const idleLimit = (inactivitySeconds ?? 0) * 1000;
  const watch =
    idleLimit === 0
      ? undefined
      : setInterval(
          () => {
            if (performance.now() - lastOutput < idleLimit || ended) return;
            ended = 'inactivity';
            stop();
          },
          Math.min(1000, idleLimit / 4),
        );
  // It may have been given up while it was being launched.
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const limit = outputBytes ?? OUTPUT_BYTES;
  /** Whether what was just read is still to be looked at. */
  const admit = (bytes: number): boolean => {
    lastOutput = performance.now();
    written += bytes;
    if (written <= limit) return true;
    if (ended === undefined) {
      ended = 'output';
      running.kill('SIGKILL'); // who writes without end may well ignore being asked
    }
    return false;
  };
  try {
    const [stdout, stderr, exit] = await Promise.all([
      collect(running.stdout, admit, (lines) => onLines?.(lines, 'stdout')),
      collect(running.stderr, admit, (lines) => onLines?.(lines, 'stderr')),
      running.exited,
    ]);
    signal.throwIfAborted();
    return { ok: exit.code === 0 && ended === undefined, status: describeExit(exit), ended, stdout, stderr };
  } finally {
    clearTimeout(total);
    clearInterval(watch);
    clearTimeout(forced);
    signal.removeEventListener('abort', stop);
  }
}

async function collect(
  stream: Readable,
  admit: (bytes: number) => boolean,
  onLines: (lines: readonly string[]) => void,
): Promise<string> {
  const output = new OutputLines();
  for await (const chunk of stream) {
    if (!admit(chunk.length)) continue; // read on, so that the process is not kept from ending
    const lines = output.push(chunk);
    if (lines.length > 0) onLines(lines);
  }
  const last = output.end();
  if (last !== undefined) onLines([last]);
  return output.tail;
}

function describeExit(exit: Awaited<PluginProcess['exited']>): string {
  if (exit.signal === null) return `exit status ${exit.code ?? 'unknown'}`;
  return `signal: ${SIGNAL_WORDS[exit.signal] ?? exit.signal}`;
}

const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGSEGV: 'segmentation fault',
  SIGABRT: 'aborted',
  SIGINT: 'interrupt',
};
