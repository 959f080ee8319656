/**
 * A progress line on a terminal for work that lasts over a second; silent elsewhere. Decides when to draw; the line
 * itself is the Io's, which wipes it before any other text.
 */
import type { Io } from './io.ts';

export interface Progress {
  /** Part done, 0…1, or undefined when the end is not known. */
  update(text: string, done?: number): void;
  end(): void;
}

const SHOW_AFTER_MS = 1000;
const WIDTH = 24;

export function startProgress(io: Io): Progress {
  if (!io.stderrIsTerminal || io.options.quiet || io.options.json) return { update() {}, end() {} };
  const startedAt = Date.now();
  let lastDraw = 0;
  return {
    update(text, done) {
      const now = Date.now();
      if (now - startedAt < SHOW_AFTER_MS || now - lastDraw < 80) return;
      lastDraw = now;
      const filled = done === undefined ? 0 : Math.round(Math.min(1, Math.max(0, done)) * WIDTH);
      const bar =
        done === undefined ? '' : `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${Math.floor(done * 100)}% `;
      const columns = process.stderr.columns ?? 80;
      io.showProgress(`${bar}${text}`.slice(0, columns - 1));
    },
    end() {
      io.clearProgress();
    },
  };
}
