/** Kinds of single values: what upstream's messages call them, and what stands for an absent one. */
export const scalars = {
  string: { typeName: 'string', zero: '' },
  boolean: { typeName: 'bool', zero: false },
  int: { typeName: 'int', zero: 0 },
  int64: { typeName: 'int64', zero: 0 },
  uint64: { typeName: 'uint64', zero: 0 },
  number: { typeName: 'float64', zero: 0 },
  decimal: { typeName: 'decimal.Decimal', zero: '0' },
  timestamp: { typeName: 'time.Time', zero: '0001-01-01T00:00:00Z' },
  /** A free object. */
  object: { typeName: 'map[string]interface {}', zero: null },
  any: { typeName: 'interface {}', zero: null },
} as const;

export type ScalarKind = keyof typeof scalars;

/** The nearest that a number comes to the largest 64-bit integer. */
export const MAX_INT = 2 ** 63;

/** What upstream's messages call the type of a JSON value. */
export function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
