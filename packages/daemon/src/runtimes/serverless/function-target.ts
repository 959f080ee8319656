/** The address of a function as it stands in its row, which nobody has checked (docs/wire/runtime-protocol.md#functions). */
export interface FunctionTarget {
  /** undefined where the address is none that can be called. */
  readonly origin: string | undefined;
  /** As it was written, for the message that says so. */
  readonly scheme: string;
  /** Host and port. */
  readonly host: string;
  /** What a request for an action asks for. */
  pathFor(action: string): string;
  urlFor(action: string): string;
}

/** `invoke` is joined to the path; the action is appended as text, whatever query the address has. */
export function functionTarget(address: string): FunctionTarget {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isCallable = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isCallable) {
    const urlFor = (action: string) =>
      `${encodeURI(address.toWellFormed()).replace(/(?<!\/)\/+$/, '')}/invoke?action=${action}`;
    return { origin: undefined, scheme: url?.protocol.slice(0, -1) ?? '', host: '', pathFor: urlFor, urlFor };
  }
  const before = `${url.pathname.replace(/(?<!\/)\/+$/, '')}/invoke${url.search}?action=`;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const pathFor = (action: string): string => before + encodeURIComponent(action);
  return {
    origin: url.origin,
    scheme: url.protocol.slice(0, -1),
    host: `${url.hostname}:${port}`,
    pathFor,
    urlFor: (action) => url.origin + pathFor(action),
  };
}
