/** Lines as one node tells them to another: events, those of the past first, then a sign, then those to come. */
import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';
import type { JournalLine } from '../../telemetry/index.ts';

/** A comment in a stream of events, which clients pass over: what follows was said after the question. */
export const FROM_NOW_ON = ': from now on\n\n';
const SIGN = FROM_NOW_ON.trimEnd();

/** A message of 4096 characters, each of them escaped, and what stands around it. */
const LONGEST_EVENT = 64 * 1024;

export type Told = AsyncGenerator<JournalLine | 'from now on', void>;

const levels: readonly JournalLine['level'][] = ['debug', 'info', 'warn', 'error'];

/**
 * What a node tells, as it comes.
 * @throws when an event is longer than a line can be, or when the answer breaks off
 */
export async function* toldLines(body: AsyncIterable<Uint8Array>): Told {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n', from)) {
      const event = rest.slice(from, end);
      from = end + 2;
      if (event === SIGN) yield 'from now on';
      const line = event.startsWith('data: ') ? readLine(event.slice('data: '.length)) : undefined;
      if (line !== undefined) yield line;
    }
    rest = rest.slice(from);
    if (rest.length > LONGEST_EVENT) throw new Error(`it told a line of more than ${LONGEST_EVENT} characters`);
  }
}

/** undefined for what is no line. */
function readLine(text: string): JournalLine | undefined {
  const read = parseForeign(text);
  const data = read.ok && isObject(read.value) ? read.value['data'] : undefined;
  if (!isObject(data)) return undefined;
  const { time, source, plugin_unique_identifier, message } = data;
  const level = levels.find((one) => one === data['level']);
  if (typeof time !== 'string' || typeof source !== 'string' || level === undefined) return undefined;
  if (typeof plugin_unique_identifier !== 'string' || typeof message !== 'string') return undefined;
  return { time, level, source, plugin_unique_identifier, message };
}
