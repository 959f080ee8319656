import { decode, encode } from 'cborg';

/** What one of the two entries of a debugging key holds: a CBOR map of one text, as upstream writes it. */
type Field = 'key' | 'tenant_id';

/** An entry is a UUID and the name of its field; whatever is longer is none of ours, and is not decoded. */
const LONGEST_ENTRY = 1024;

export const encodeKeyEntry = (field: Field, value: string): Uint8Array => encode({ [field]: value });

/** The text; undefined for bytes that are not such an entry. */
export function decodeKeyEntry(field: Field, bytes: Uint8Array): string | undefined {
  if (bytes.length > LONGEST_ENTRY) return undefined;
  try {
    const decoded: unknown = decode(bytes, { useMaps: true });
    const value: unknown = decoded instanceof Map ? decoded.get(field) : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    // Not CBOR, or not all of it: somebody else's value under this name.
    return undefined;
  }
}
