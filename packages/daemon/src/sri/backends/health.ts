import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceAddress } from './backend.ts';

const LOOK_EVERY_MS = 20;

/** Whether an instance answers its health check. Never rejects. */
export function isHealthy({ origin, socketPath }: InstanceAddress, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const options = { agent: false, timeout: timeoutMs, ...(socketPath !== undefined && { socketPath }) } as const;
  const asking = request(`${origin}/health`, options, (response) => {
    // Nothing of what it says matters.
    response.resume();
    response.once('error', () => resolve(false));
    resolve(response.statusCode === 200);
    response.once('end', () => asking.destroy());
  });
  // Idle time alone would let one that drips wait for ever.
  const limit = setTimeout(() => asking.destroy(new Error('too slow')), timeoutMs);
  asking.once('timeout', () => asking.destroy(new Error('too slow')));
  asking.once('error', () => resolve(false));
  asking.once('close', () => {
    clearTimeout(limit);
    resolve(false);
  });
  asking.end();
  return promise;
}

/** Resolves when an instance answers. @throws the signal's reason */
export async function untilHealthy(address: InstanceAddress, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await isHealthy(address, 2000)) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
