import { isObject } from '@plugin-daemon/values';

/** The tables whose rows nodes keep in memory. */
export const rowTables = ['installations', 'declarations', 'endpoints'] as const;
export type RowTable = (typeof rowTables)[number];

/** Every kind of event with what it says. */
export interface DaemonEvents {
  /** A row was written or deleted; `key` is what the table's rows are kept under. */
  'row-changed': { readonly table: RowTable; readonly key: string };
  /** A node came, goes, or has other plugins connected: whoever looks now sees it. */
  'nodes-changed': Record<never, never>;
  /** A tenant was given a version, and another was taken from it; `''` where there is none. */
  'installation-changed': { readonly given: string; readonly taken: string };
  /** Events of the sender were lost: whatever anybody keeps may be out of date. */
  'events-lost': Record<never, never>;
}

export type EventName = keyof DaemonEvents;

/** Reads what came from the channel; undefined for what no node of this version says. */
export const eventReaders: { readonly [Name in EventName]: (data: unknown) => DaemonEvents[Name] | undefined } = {
  'row-changed': (data) => {
    if (!isObject(data)) return undefined;
    const table = rowTables.find((name) => name === data['table']);
    const key = data['key'];
    return table !== undefined && typeof key === 'string' ? { table, key } : undefined;
  },
  'nodes-changed': () => ({}),
  'installation-changed': (data) => {
    if (!isObject(data)) return undefined;
    const { given, taken } = data;
    return typeof given === 'string' && typeof taken === 'string' ? { given, taken } : undefined;
  },
  'events-lost': () => ({}),
};

export const isEventName = (name: unknown): name is EventName =>
  typeof name === 'string' && Object.hasOwn(eventReaders, name);
