/** The daemon's server-sent events: `data: <envelope>` and an empty line each. */
export { type Envelope, sseEvents } from '@plugin-daemon/client';

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
