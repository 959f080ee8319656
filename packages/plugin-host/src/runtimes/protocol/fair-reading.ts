import type { Readable } from 'node:stream';

/** Reading one piece may take so long before everybody else gets a turn, in ms. */
const LONG_MS = 5;

/**
 * Hands on what a stream brings, and lets the event loop turn after a piece that took long: a pipe that is always full would
 * otherwise be read dozens of times in a row.
 */
export function readFairly(stream: Readable, read: (bytes: Buffer) => void): void {
  stream.on('data', (bytes: Buffer) => {
    const begun = performance.now();
    read(bytes);
    if (performance.now() - begun < LONG_MS || stream.destroyed || stream.isPaused()) return;
    stream.pause();
    setImmediate(() => stream.resume());
  });
}
