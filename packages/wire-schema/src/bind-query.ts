/**
 * Query strings into records (docs/wire/http-api.md#binding): first value of a name counts, a number that does not parse stops the binding.
 */
import { zeroOf } from './decode.ts';
import { MAX_INT } from './primitives/index.ts';
import type { RecordOf } from './types.ts';

/** Binds the declared fields from a query. Fields after one that does not parse stay at their zero value, as upstream does. */
export function bindQuery<T>(type: RecordOf<T>, query: URLSearchParams): T {
  const out: Record<string, unknown> = {};
  let stopped = false;
  for (const { key, field } of type.fields) {
    out[key] = zeroOf(field.type);
    if (stopped || !query.has(key)) continue;
    const text = query.get(key) ?? '';
    switch (field.type.kind) {
      case 'string':
        out[key] = text;
        break;
      case 'array':
        out[key] = query.getAll(key);
        break;
      case 'int':
      case 'number': {
        const digits = text.trim();
        if (digits === '') break;
        if (/^[+-]?\d+$/.test(digits) && Math.abs(Number(digits)) <= MAX_INT) out[key] = Number(digits);
        else stopped = true;
        break;
      }
      case 'boolean':
        out[key] = text === 'true' || text === '1';
        break;
      default:
        break;
    }
  }
  // The shape of `out` is what the description says, which is how T was inferred.
  return out as T;
}
