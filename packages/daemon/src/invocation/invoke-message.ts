import { isObject } from '@plugin-daemon/values';
import { valueText } from '@plugin-daemon/wire-schema';

/** Ids of calls back are UUIDs. */
const MAX_ID_LENGTH = 256;

/** A call back as the plugin sent it; nothing of `request` is checked. */
export interface Invoke {
  readonly type: string;
  readonly id: string;
  readonly request: Record<string, unknown>;
}

/** The parts of an `invoke` message, or what is wrong with its form (docs/wire/runtime-protocol.md#calls-back-into-dify). */
export function readInvoke(data: unknown): Invoke | string {
  if (data === null) return 'invoke request is empty';
  if (!isObject(data)) {
    const kind = Array.isArray(data) ? 'array' : typeof data === 'boolean' ? 'bool' : typeof data;
    return `unmarshal invoke request failed: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  }
  const { type, backwards_request_id: id, request } = data;
  if (typeof type !== 'string') return `invoke request missing type: ${valueText(data, true)}`;
  if (typeof id !== 'string') return `invoke request missing request_id: ${valueText(data, true)}`;
  // It stands in every answer to the plugin.
  if (id.length > MAX_ID_LENGTH) return `invoke request_id is longer than ${MAX_ID_LENGTH} characters`;
  if (!isObject(request)) return `invoke request missing request: ${valueText(data, true)}`;
  return { type, id, request };
}
