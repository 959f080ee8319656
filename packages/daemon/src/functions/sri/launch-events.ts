/** The progress of a launch: lines, some of which are JSON (docs/wire/lifecycle.md#connector). */
import { StringDecoder } from 'node:string_decoder';
import { EVENT_PARTS, readFields, word } from './answers.ts';

export type LaunchEvent =
  | { readonly event: 'info'; readonly message: string }
  /** Where the function is; parts that were not said are empty. */
  | { readonly event: 'function'; readonly url: string; readonly name: string }
  | { readonly event: 'failed'; readonly message: string }
  | { readonly event: 'done' };

/** Longer lines are skipped: what they hold is a log. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** Cuts bytes into lines, however they were cut before; a line over the limit is left out. */
export class Lines {
  readonly #decoder = new StringDecoder('utf8');
  #pieces: string[] = [];
  #length = 0;
  #skipping = false;
  /** Lines that were left out. */
  skipped = 0;

  *take(bytes: Buffer): Generator<string> {
    let text = this.#decoder.write(bytes);
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      this.#keep(text.slice(0, end));
      text = text.slice(end + 1);
      if (this.#skipping) this.#skipping = false;
      else yield this.#whole();
    }
    this.#keep(text);
  }

  /** What stands after the last line end. */
  *rest(): Generator<string> {
    this.#keep(this.#decoder.end());
    if (!this.#skipping && this.#length > 0) yield this.#whole();
  }

  #keep(piece: string): void {
    if (this.#skipping || piece === '') return;
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length <= LONGEST_LINE) return;
    this.skipped++;
    this.#skipping = true;
    this.#clear();
  }

  #whole(): string {
    const line = this.#pieces.join('');
    this.#clear();
    return line;
  }

  #clear(): void {
    this.#pieces = [];
    this.#length = 0;
  }
}

/** What one line says; undefined for what says nothing: comments, names of events, health checks, anything that is no such JSON. */
export function launchEvent(line: string): LaunchEvent | undefined {
  // Before the first line of a stream a mark of its encoding may stand.
  const text = line.replace(/^\ufeff?data:/, '').trim();
  if (!text.startsWith('{')) return undefined;
  const fields = readFields(text, EVENT_PARTS);
  if (fields === undefined) return undefined;
  const [stage, state, message] = [word(fields, 'stage'), word(fields, 'state'), word(fields, 'message')];
  if (state === 'failed') return { event: 'failed', message };
  switch (stage) {
    case 'start':
    case 'build':
      return { event: 'info', message: 'Building plugin...' };
    case 'run':
      return state === 'success' ? functionIn(message) : { event: 'info', message: 'Launching plugin...' };
    case 'end':
      return { event: 'done' };
    default:
      return undefined;
  }
}

/** `endpoint=…,name=…,id=…`; what follows the first `=` of a pair is its value, since addresses have queries. */
function functionIn(message: string): LaunchEvent {
  const found = new Map<string, string>();
  for (const pair of message.split(',')) {
    const at = pair.indexOf('=');
    if (at < 0) return { event: 'failed', message: `invalid key-value pair: ${pair}` };
    found.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  return { event: 'function', url: found.get('endpoint') ?? '', name: found.get('name') ?? '' };
}
