import { findMember } from '@plugin-daemon/plugin-host/json';
import { mayExceed, requestBytes, requestTooLarge } from '../../runtimes/serverless/index.ts';
import { parseJson } from '../answers/answer.ts';

export interface Batch {
  /** Makes the whole request. */
  readonly line: () => string;
  readonly texts: number;
}

/**
 * Splits a request in the order of its texts, each batch as large as the limit allows.
 * @returns undefined where nothing has to be split, or cannot be
 * @throws DaemonError in upstream's words when even one text is too large, or what stands around them; nothing was sent then
 */
export function planBatches(line: string, action: string, limit: number): readonly Batch[] | undefined {
  if (!mayExceed(line, limit) || requestBytes(line) <= limit) return undefined;
  const data = findMember(line, 'data');
  const inner = data && findMember(line.slice(data.start, data.end), 'texts');
  if (data === undefined || inner === undefined) return undefined;
  const [start, end] = [data.start + inner.start, data.start + inner.end];
  const texts: unknown = parseJson(line.slice(start, end))?.value;
  if (!Array.isArray(texts)) return undefined;
  const [before, after] = [`${line.slice(0, start)}[`, `]${line.slice(end)}`];
  const around = requestBytes(before) + requestBytes(after);
  if (around > limit) throw requestTooLarge(action, around, limit);
  const batches: Batch[] = [];
  let batch: string[] = [];
  let size = around;
  const finish = (): void => {
    const own = batch;
    // Made when it is sent: what stands around the texts may be nearly as large as the limit, for each of many batches.
    if (own.length > 0) batches.push({ line: () => before + own.join(',') + after, texts: own.length });
    batch = [];
    size = around;
  };
  for (const [index, value] of texts.entries()) {
    const text = JSON.stringify(value);
    const bytes = requestBytes(text);
    if (around + bytes > limit) throw requestTooLarge(action, around + bytes, limit, index);
    if (batch.length > 0 && size + bytes + 1 > limit) finish();
    size += bytes + (batch.length > 0 ? 1 : 0);
    batch.push(text);
  }
  finish();
  return batches;
}
