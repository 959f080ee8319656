/** One JSON object per line, with the characters escaped that Go escapes: nothing in a line can be taken for markup or a line end. */
export function escapeJson(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029\u0085]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `log` only on request: readers of the protocol know the other four. */
export type SlimEvent = 'message' | 'chunk' | 'done' | 'error' | 'log';

export interface LineSink {
  /** @param json JSON text */
  raw(event: SlimEvent, json: string): Promise<void>;
  send(event: SlimEvent, data: unknown): Promise<void>;
}

/** Lines on a stream whose reader may leave at any moment. */
export function lineSink(stream: NodeJS.WritableStream): LineSink {
  let gone = false;
  stream.on('error', () => {
    gone = true;
  });
  const raw = (event: SlimEvent, json: string): Promise<void> =>
    new Promise((resolve) => {
      if (gone) resolve();
      else stream.write(`{"event":"${event}","data":${escapeJson(json)}}\n`, () => resolve());
    });
  return { raw, send: (event, data) => raw(event, JSON.stringify(data ?? null)) };
}
