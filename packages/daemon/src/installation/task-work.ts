import { isObject } from '@plugin-daemon/values';
import type { JsonObject } from '../database/index.ts';

/** What is to be done for one item of an install task, beside what the item says itself. */
export type ItemWork =
  /** The tenant has the plugin: there is nothing to do. */
  | { readonly kind: 'present' }
  | { readonly kind: 'install'; readonly meta: JsonObject }
  | { readonly kind: 'upgrade'; readonly original: string; readonly meta: JsonObject };

/** Another version of this program that writes something else here takes another number. */
const VERSION = 1;

/** The work of a task as it stands beside its lease, for a node that takes it over. */
export const writeWork = (items: Readonly<Record<string, ItemWork>>): string =>
  JSON.stringify({ version: VERSION, items });

/** Whether a node of this version can do it. */
export const isReadable = (text: string | undefined): boolean => itemsOf(text) !== undefined;

/** What stands there about an item; undefined for what this version cannot do. */
export function readWork(text: string | undefined, identifier: string): ItemWork | undefined {
  const items = itemsOf(text);
  const work = items !== undefined && Object.hasOwn(items, identifier) ? items[identifier] : undefined;
  if (!isObject(work)) return undefined;
  const { kind, original, meta } = work;
  if (kind === 'present') return { kind };
  if (!isObject(meta)) return undefined;
  // It was JSON text before.
  const parsed = meta as JsonObject;
  if (kind === 'install') return { kind, meta: parsed };
  if (kind === 'upgrade' && typeof original === 'string') return { kind, original, meta: parsed };
  return undefined;
}

function itemsOf(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const work: unknown = JSON.parse(text);
    if (!isObject(work) || work['version'] !== VERSION || !isObject(work['items'])) return undefined;
    return work['items'];
  } catch {
    // Nobody of ours wrote it.
    return undefined;
  }
}
