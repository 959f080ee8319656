/** Headings, progress and streamed text on a terminal, or plain lines where there is none. */
import { messageOf } from '@plugin-daemon/values';
import pc from 'picocolors';
import type { InstallTask } from '../daemon/index.ts';

const BAR_WIDTH = 24;
const STEP_WIDTH = 60;

export function heading(text: string): void {
  process.stdout.write(`\n${pc.bold(pc.cyan(text))}\n`);
}

export function line(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

export function detail(text: string): void {
  process.stdout.write(`${pc.dim(`  ${text}`)}\n`);
}

export function done(text: string, startedAt: number): void {
  process.stdout.write(`  ${pc.green('✓')} ${text} ${pc.dim(`(${duration(performance.now() - startedAt)})`)}\n`);
}

export function failure(error: unknown): void {
  const text = messageOf(error);
  process.stderr.write(`\n${pc.red('✗')} ${text.trim()}\n`);
}

export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Writes text that arrives in pieces, indented. */
export class StreamedText {
  #atLineStart = true;

  write(text: string): void {
    for (const part of text.split(/(?<=\n)/)) {
      process.stdout.write(this.#atLineStart ? `  ${pc.dim('│')} ${part}` : part);
      this.#atLineStart = part.endsWith('\n');
    }
  }

  end(): void {
    if (!this.#atLineStart) process.stdout.write('\n');
    this.#atLineStart = true;
  }
}

/** A bar that moves while an install runs, with the step the daemon reports; without a terminal, one line for each step. */
export class InstallProgress {
  readonly #startedAt = performance.now();
  #step = 'waiting';

  update(task: InstallTask): void {
    const step = task.plugins[0]?.message.split('\n')[0]?.trim() || task.status;
    if (!process.stdout.isTTY) {
      if (step !== this.#step && task.status !== 'failed') detail(`… ${step}`);
      this.#step = step;
      return;
    }
    this.#step = step;
    const elapsed = performance.now() - this.#startedAt;
    process.stdout.write(`\r\x1b[K  ${bar(step, elapsed)} ${clip(step)} ${pc.dim(duration(elapsed))}`);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }
}

/** How far the step says it is (`3/7` or `40%`); without such a figure a light that runs from side to side. */
export function bar(step: string, elapsedMs: number): string {
  const share = reportedShare(step);
  if (share !== undefined) {
    const full = Math.round(share * BAR_WIDTH);
    return pc.cyan('█'.repeat(full)) + pc.dim('░'.repeat(BAR_WIDTH - full));
  }
  const span = BAR_WIDTH - 5;
  const position = Math.floor(elapsedMs / 60) % (2 * span);
  const at = position < span ? position : 2 * span - position;
  return pc.dim('░'.repeat(at)) + pc.cyan('█'.repeat(5)) + pc.dim('░'.repeat(span - at));
}

export function reportedShare(step: string): number | undefined {
  const percent = /(\d{1,3})\s?%/.exec(step);
  if (percent) return Math.min(1, Number(percent[1]) / 100);
  const count = /\b(\d+)\/(\d+)\b/.exec(step);
  if (count && Number(count[2]) > 0) return Math.min(1, Number(count[1]) / Number(count[2]));
  return undefined;
}

function clip(text: string): string {
  return text.length > STEP_WIDTH ? `${text.slice(0, STEP_WIDTH - 1)}…` : text;
}
