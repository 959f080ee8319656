/** HTTP requests and answers as text, the form in which endpoints and triggers get and give them. */

export interface HttpRequestText {
  method: string;
  /** With query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** The bytes of an HTTP/1.1 request with a correct Content-Length. */
export function requestBytes({ method, path, headers, body }: HttpRequestText): Buffer {
  const all: Record<string, string> = { Host: 'localhost', ...headers };
  if (!Object.keys(all).some((name) => name.toLowerCase() === 'content-length'))
    all['Content-Length'] = String(body.length);
  const head = `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'utf8'), body]);
}
