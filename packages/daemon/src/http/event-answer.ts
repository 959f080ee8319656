import { once } from 'node:events';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyReply } from 'fastify';
import { successBody } from './envelope.ts';
import type { RouteEvent } from './route.ts';

/** The work that was told of in events failed, and the caller has been told so. */
export class EventsEndedInError extends DaemonError {
  constructor(text: string) {
    super('internal', text);
  }
}

/**
 * Answers with events, each sent as it happens, as fast as the caller reads.
 * @throws EventsEndedInError when the last event was one, the answer being whole; the signal's reason when the caller left
 */
export async function sendEvents(
  events: AsyncIterable<RouteEvent>,
  { raw }: FastifyReply,
  signal: AbortSignal,
): Promise<void> {
  raw.writeHead(200, { 'Content-Type': 'text/event-stream' });
  let last: RouteEvent | undefined;
  for await (const event of events) {
    signal.throwIfAborted();
    last = event;
    if (!raw.write(`data: ${successBody(event)}\n\n`)) await once(raw, 'drain', { signal });
  }
  signal.throwIfAborted();
  raw.end();
  if (last?.event === 'error') throw new EventsEndedInError(last.data);
}
