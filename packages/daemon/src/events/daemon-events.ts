import { isObject } from '@plugin-daemon/values';

/** The tables whose rows nodes keep in memory. */
export const rowTables = ['installations', 'declarations', 'endpoints', 'functions'] as const;
export type RowTable = (typeof rowTables)[number];

/** Every kind of event with what it says. */
export interface DaemonEvents {
  /** A row was written or deleted; `key` is what the table's rows are kept under. */
  'row-changed': { readonly table: RowTable; readonly key: string };
  /** A node came, goes, or has other plugins connected: whoever looks now sees it. */
  'nodes-changed': Record<never, never>;
  /** A tenant was given a version, and another was taken from it; `''` where there is none. */
  'installation-changed': { readonly given: string; readonly taken: string };
  /** A node installs a version and wants these nodes to be ready for it, for as long as it says so; without a list: all. */
  'version-wanted': { readonly identifier: string; readonly nodes?: readonly string[] };
  /** A node has made a wanted version ready. */
  'version-ready': { readonly identifier: string; readonly node: string };
  /** The step in which a node is with a wanted version. */
  'version-progress': { readonly identifier: string; readonly node: string; readonly step: string };
  /** A node cannot make a wanted version ready. */
  'version-refused': { readonly identifier: string; readonly node: string; readonly reason: string };
  /** What was said of the processes of a plugin changed. */
  'policies-changed': Record<never, never>;
  /** A call should end, wherever it is open. */
  'session-cancelled': { readonly tenantId: string; readonly sessionId: string };
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
  'version-wanted': (data) => {
    if (!isObject(data)) return undefined;
    const { identifier, nodes } = data;
    if (!isIdentifier(identifier)) return undefined;
    if (nodes === undefined) return { identifier };
    if (!Array.isArray(nodes) || !nodes.every((node: unknown) => typeof node === 'string')) return undefined;
    return { identifier, nodes };
  },
  'version-ready': (data) => {
    if (!isObject(data)) return undefined;
    const { identifier, node } = data;
    return isIdentifier(identifier) && typeof node === 'string' ? { identifier, node } : undefined;
  },
  'version-progress': (data) => {
    if (!isObject(data)) return undefined;
    const { identifier, node, step } = data;
    return isIdentifier(identifier) && typeof node === 'string' && typeof step === 'string'
      ? { identifier, node, step }
      : undefined;
  },
  'version-refused': (data) => {
    if (!isObject(data)) return undefined;
    const { identifier, node, reason } = data;
    return isIdentifier(identifier) && typeof node === 'string' && typeof reason === 'string'
      ? { identifier, node, reason }
      : undefined;
  },
  'policies-changed': () => ({}),
  'session-cancelled': (data) => {
    if (!isObject(data)) return undefined;
    const { tenantId, sessionId } = data;
    return typeof tenantId === 'string' && typeof sessionId === 'string' ? { tenantId, sessionId } : undefined;
  },
  'events-lost': () => ({}),
};

const LONGEST_IDENTIFIER = 255;
const isIdentifier = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_IDENTIFIER;

export const isEventName = (name: unknown): name is EventName =>
  typeof name === 'string' && Object.hasOwn(eventReaders, name);
