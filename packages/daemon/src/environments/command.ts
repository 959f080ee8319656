import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { PluginProcess, ProcessLauncher } from '../runtimes/local/launcher/index.ts';

export interface CommandSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Killed when it has run this long; seconds. */
  readonly timeoutSeconds: number;
  /** Killed when it has written nothing for this long; seconds, 0 for no such limit. */
  readonly inactivitySeconds?: number;
  /** Each line of stdout and stderr as it comes, without its newline. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface CommandResult {
  readonly ok: boolean;
  /** `exit status 2`, `signal: killed`: in the words upstream uses. */
  readonly status: string;
  /** Why we ended it ourselves. */
  readonly ended: 'timeout' | 'inactivity' | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Each stream is kept up to this many characters for messages; the rest is in the log file. The end is what matters. */
const KEPT_CHARACTERS = 256 * 1024;
/** Time between asking and forcing; uv removes its temporary files when asked. */
const GRACE_MS = 1000;

/**
 * Runs one command in its own process group to its end. Resolves whatever its exit status is; rejects when it cannot be
 * started, and with the signal's reason when that is aborted, after the whole group has been killed.
 */
export async function runCommand(launcher: ProcessLauncher, spec: CommandSpec): Promise<CommandResult> {
  spec.signal.throwIfAborted();
  const running = await launcher.launch({ command: spec.command, args: spec.args, cwd: spec.cwd, env: spec.env });
  running.stdin.end();

  let ended: CommandResult['ended'];
  let lastOutput = performance.now();
  let forced: NodeJS.Timeout | undefined;
  const stop = () => {
    running.kill('SIGTERM');
    forced ??= setTimeout(() => running.kill('SIGKILL'), GRACE_MS);
  };
  const total = setTimeout(() => {
    ended = 'timeout';
    stop();
  }, spec.timeoutSeconds * 1000);
  const idleLimit = (spec.inactivitySeconds ?? 0) * 1000;
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
  spec.signal.addEventListener('abort', stop, { once: true });
  try {
    const seen = () => {
      lastOutput = performance.now();
    };
    const [stdout, stderr, exit] = await Promise.all([
      collect(running.stdout, seen, (line) => spec.onLine?.(line, 'stdout')),
      collect(running.stderr, seen, (line) => spec.onLine?.(line, 'stderr')),
      running.exited,
    ]);
    spec.signal.throwIfAborted();
    return { ok: exit.code === 0 && ended === undefined, status: describeExit(exit), ended, stdout, stderr };
  } finally {
    clearTimeout(total);
    clearInterval(watch);
    clearTimeout(forced);
    spec.signal.removeEventListener('abort', stop);
  }
}

async function collect(stream: Readable, seen: () => void, onLine: (line: string) => void): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  let line = '';
  for await (const chunk of stream) {
    seen();
    const piece = decoder.write(chunk);
    text += piece;
    if (text.length > 2 * KEPT_CHARACTERS) text = text.slice(-KEPT_CHARACTERS);
    const lines = (line + piece).split('\n');
    line = lines.pop() ?? '';
    for (const one of lines) onLine(one.trimEnd());
  }
  if (line !== '') onLine(line);
  return text.slice(-KEPT_CHARACTERS);
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
