/**
 * What the nodes of a deployment tell each other, so that what one of them writes is seen by all: one typed map of events, one channel.
 *
 * Owns names and payloads of the events and how they travel; touches the cache. Callers: whoever keeps in memory what another
 * node may change. An event is a hint to forget, never the only copy of anything: a node that missed some is told, and forgets all.
 */

export type { DaemonEvents, EventName, RowTable } from './daemon-events.ts';
export { EventBus, type EventBusOptions } from './event-bus.ts';
export { UpstreamCaches } from './upstream-caches.ts';
