/** JSON values as upstream's messages show them: keys sorted, neither quotes nor commas. */

const MAX_SHOWN = 256;

/**
 * The text of a value, cut to what is enough to find it.
 * @param marksTypes in texts made for strings, other scalars inside are marked with their type
 */
export function valueText(value: unknown, marksTypes = false): string {
  const text = render(value, marksTypes);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function render(value: unknown, marksTypes: boolean): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map((item: unknown) => render(item, marksTypes)).join(' ')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([key, item]) => `${key}:${render(item, marksTypes)}`).join(' ')}]`;
  }
  if (typeof value === 'string' || !marksTypes) return String(value);
  return `%!s(${typeof value === 'number' ? 'float64' : 'bool'}=${String(value)})`;
}
