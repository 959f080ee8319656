/** What Dify puts around every result: `{"data": …, "error": ""}` (docs/wire/runtime-protocol.md#answers-of-dify). */
import { jsonProblemText, parseForeign } from '@plugin-daemon/plugin-host/json';
import { DifyError, type DifyStage } from './dify-error.ts';
import { memberText, singleLine } from './json-text.ts';

// How Dify writes it, so that the common case is cut out instead of searched for.
const HEAD = '{"data":';
const TAIL = ',"error":""}';

/**
 * The JSON text of `data` (an object), as Dify wrote it, on a single line.
 * @throws DifyError when `error` is set, or `data` is missing or not an object, or the text is not JSON
 */
export function openEnvelope(text: string, stage: DifyStage): string {
  if (text.startsWith('{', HEAD.length) && text.startsWith(HEAD) && text.endsWith(TAIL)) {
    const data = text.slice(HEAD.length, -TAIL.length);
    if (parseForeign(data).ok) return singleLine(data);
  }
  const envelope = parse(text, stage);
  const error = envelope['error'];
  if (error !== undefined && error !== null && error !== '') {
    throw new DifyError(stage, `request failed: ${typeof error === 'string' ? error : JSON.stringify(error)}`);
  }
  const data = envelope['data'];
  if (data === undefined || data === null) throw new DifyError(stage, 'data is nil');
  if (typeof data !== 'object' || Array.isArray(data)) throw new DifyError(stage, 'data is not an object');
  return singleLine(memberText(text, 'data')?.trim() ?? JSON.stringify(data));
}

function parse(text: string, stage: DifyStage): Record<string, unknown> {
  const parsed = parseForeign(text);
  if (!parsed.ok) {
    const what =
      parsed.problem === 'syntax'
        ? 'something that is not JSON'
        : `what we refuse, because ${jsonProblemText[parsed.problem]}`;
    throw new DifyError(stage, `Dify sent ${what}: ${excerpt(text)}`);
  }
  const { value } = parsed;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new DifyError(stage, `Dify sent JSON without data and error: ${excerpt(text)}`);
}

const excerpt = (text: string): string =>
  text === '' ? '(nothing)' : text.length <= 200 ? text : `${text.slice(0, 200)}…`;
