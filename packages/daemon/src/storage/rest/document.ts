import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';
import { XMLParser } from 'fast-xml-parser';

/** Stores answer within a megabyte for a page of a thousand keys. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  // Keys may begin and end with spaces.
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === 'Contents',
});

/**
 * What an answer says: the members of the root of XML, with its name as `root`, or a JSON object. undefined when it is neither: what
 * stands before a store says anything.
 */
export function documentOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const start = text.trimStart();
  if (start.startsWith('{')) {
    const read = parseForeign(text);
    return read.ok && isObject(read.value) ? read.value : undefined;
  }
  // Entities of their own are for pages and attackers.
  if (!start.startsWith('<') || /<!/.test(text)) return undefined;
  try {
    const read: unknown = parser.parse(text);
    if (!isObject(read)) return undefined;
    const [[root, members] = []] = Object.entries(read).filter(([name]) => name !== '#text');
    return root !== undefined && isObject(members) ? { ...members, root } : undefined;
  } catch {
    return undefined;
  }
}

/** The first of these members that is text, and not empty. */
export function textOf(document: unknown, ...names: readonly string[]): string | undefined {
  if (!isObject(document)) return undefined;
  for (const name of names) {
    const value = document[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
