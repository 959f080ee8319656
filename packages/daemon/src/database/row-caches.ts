import type { EventBus, RowTable } from '../events/index.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import type { EndpointRecord, InstallationRecord, ServerlessRuntimeRecord } from './records.ts';
import type { StoredDeclaration } from './stored-declaration.ts';

/** Rows that are kept in memory, by table. Keys: tenant and plugin id; plugin unique identifier; hook id; plugin unique identifier. */
export interface RowCaches {
  readonly installations: ReadThroughCache<InstallationRecord>;
  readonly declarations: ReadThroughCache<StoredDeclaration>;
  readonly endpoints: ReadThroughCache<EndpointRecord>;
  readonly functions: ReadThroughCache<ServerlessRuntimeRecord>;
}

/** What is never told is noticed after this time. */
const LIFETIME_MS = 10 * 60_000;
/** The same while this node cannot hear the others. */
const DEAF_LIFETIME_MS = 2000;
/** Most text of declarations kept in memory; parsed they take about three times as much. */
const DECLARATION_CHARACTERS = 16 * 1024 * 1024;

/** The caches; with `events` they tell other nodes what was changed here, and forget what was changed there. */
export function openRowCaches(events: EventBus | undefined): RowCaches {
  const of = (table: RowTable) => ({
    lifetimeMs: LIFETIME_MS,
    ...(events !== undefined && { onInvalidated: (key: string) => events.publish('row-changed', { table, key }) }),
  });
  const caches: RowCaches = {
    installations: new ReadThroughCache({ ...of('installations'), maxEntries: 20_000 }),
    declarations: new ReadThroughCache({
      ...of('declarations'),
      maxEntries: 1024,
      maxWeight: DECLARATION_CHARACTERS,
      weigh: (declaration) => declaration.json.length,
    }),
    endpoints: new ReadThroughCache({ ...of('endpoints'), maxEntries: 20_000 }),
    functions: new ReadThroughCache({ ...of('functions'), maxEntries: 20_000 }),
  };
  events?.on('row-changed', ({ table, key }) => caches[table].forget(key));
  events?.onGap((state) => {
    for (const cache of Object.values(caches)) {
      cache.boundLifetime(state === 'deaf' ? DEAF_LIFETIME_MS : undefined);
      cache.forgetAll();
    }
  });
  return caches;
}
