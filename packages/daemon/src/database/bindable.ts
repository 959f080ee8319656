/** What may be a parameter of a statement. */
export type Bindable = string | number | bigint | boolean | Date | null;

/**
 * Drivers turn what they do not know into something: JSON, `[object Object]`, silently nulls. Here it is refused.
 * @throws TypeError for anything but the values of the columns
 */
export function bindable(value: unknown): Bindable {
  if (value === undefined || value === null) return null;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint')
    return value;
  throw new TypeError(`a value of type ${value instanceof Date ? 'invalid date' : typeof value} cannot be stored`);
}
