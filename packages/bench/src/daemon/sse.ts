/** The daemon's server-sent events: `data: <envelope>` and an empty line each. */

export interface Envelope {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** The events of a body that arrives in pieces cut anywhere. */
export async function* sseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<Envelope> {
  let pieces: Buffer[] = [];
  for await (const chunk of body) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      pieces.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(pieces).toString();
      pieces = [];
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6));
    }
    if (rest.length > 0) pieces.push(rest);
  }
}

/** Counts events by their separators, without making strings of them. */
export class EventCounter {
  events = 0;
  bytes = 0;
  #endedWithNewline = false;

  push(data: Buffer): void {
    this.bytes += data.length;
    let at = 0;
    if (this.#endedWithNewline && data[0] === 0x0a) {
      this.events++;
      at = 1;
    }
    for (;;) {
      const next = data.indexOf('\n\n', at, 'latin1');
      if (next < 0) break;
      this.events++;
      at = next + 2;
    }
    this.#endedWithNewline = at < data.length && data[data.length - 1] === 0x0a;
  }
}
