/** The daemon's server-sent events: `data: <envelope>` in one line, and an empty one after it. */
import { UnexpectedAnswerError } from './errors.ts';

export interface Envelope {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** The events of a body that arrives in pieces cut anywhere. */
export async function* sseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<Envelope> {
  for await (const text of sseTexts(body)) yield eventOf(text);
}

/** The data of each event, as it was written. */
export async function* sseTexts(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  for await (const chunk of body) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      pieces.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = (pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)).toString();
      pieces = [];
      const text = dataOf(line);
      if (text !== undefined) yield text;
    }
    if (rest.length > 0) pieces.push(rest);
  }
  // The last line of a body that was cut, or of a server that writes no empty line after its last event.
  const text = dataOf(Buffer.concat(pieces).toString());
  if (text !== undefined) yield text;
}

/** White space around it means nothing: what is between is JSON. */
const dataOf = (line: string): string | undefined => (line.startsWith('data:') ? line.slice(5).trim() : undefined);

function eventOf(text: string): Envelope {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedAnswerError(200, text);
  }
}
