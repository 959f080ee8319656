/** Looking into parsed TOML: every place may hold any type. */

export type Table = Readonly<Record<string, unknown>>;

export const table = (value: unknown): Table | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? (value as Table) // an object that is neither array nor date is a table
    : undefined;

/** Undefined where one part of the way is missing; inherited names are never found. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    const here = table(found);
    if (here === undefined || !Object.hasOwn(here, key)) return undefined;
    found = here[key];
  }
  return found;
}

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

export const tables = (value: unknown): Table[] =>
  Array.isArray(value) ? value.map(table).filter((one) => one !== undefined) : [];
