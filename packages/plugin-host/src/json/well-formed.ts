/** Escapes of encoded JSON; those of surrogates are left only where one stands alone. */
const escapes = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/** A value as JSON text in which halves of surrogate pairs, in keys too, are replacement characters; nothing is `null`. */
export function wellFormedJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.includes('\\ud')
    ? text.replace(escapes, (whole, half?: string) => (half === undefined ? whole : '\ufffd'))
    : text;
}
