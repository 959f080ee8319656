/** Which headers go on to the next. */

const CONNECTION = 'connection';

/** They speak of one connection alone, or are written anew. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * @param raw names and values in turn, as received
 * @param without further names, in lower case
 */
export function passedHeaders(raw: readonly string[], without: readonly string[]): string[] {
  const named = connectionNames(raw);
  const passed: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    const lower = name.toLowerCase();
    if (!ofConnection.has(lower) && named?.has(lower) !== true && !without.includes(lower)) passed.push(name, value);
  }
  return passed;
}

/** Names that `Connection` gives. Those of a request's meaning stay: naming them must not take them away from who is behind. */
function connectionNames(raw: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    // Its length tells most names apart, without a copy of each in lower case.
    if (raw[at]?.length !== CONNECTION.length || raw[at]?.toLowerCase() !== CONNECTION) continue;
    names ??= new Set();
    for (const name of (raw[at + 1] ?? '').split(',')) names.add(name.trim().toLowerCase());
  }
  for (const kept of ['host', 'content-length', 'content-type', 'x-api-key', 'x-plugin-id', 'authorization'])
    names?.delete(kept);
  return names;
}
