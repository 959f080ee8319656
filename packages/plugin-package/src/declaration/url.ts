/** Whether upstream takes a text for an address. */
export function isUrl(text: string): boolean {
  const parts = /^([a-zA-Z][a-zA-Z0-9+.-]*):(\/\/([^/?#]*))?([^#]*)(#[\s\S]*)?$/.exec(text);
  if (parts === null) return false;
  const [, scheme, authority, host, rest, fragment] = parts;
  if (fragment !== undefined && /[\n\r\u2028\u2029]/.test(fragment)) return false;
  if (scheme?.toLowerCase() === 'file') return (host ?? '') !== '' || (rest ?? '') !== '';
  const opaque = authority === undefined && rest !== undefined && rest !== '' && !rest.startsWith('/');
  return (host ?? '') !== '' || (fragment ?? '') !== '' || opaque;
}
