/**
 * Prompt messages where they are checked (docs/wire/http-api.md#models). What stands in a message is passed on as it is; content may be a
 * text, parts or null. A message that cannot be read at all counts as one with neither role nor content, as upstream has it.
 */
import { isObject } from '@plugin-daemon/values';
import { any, array, oneOf, record, required, string } from '@plugin-daemon/wire-schema';

const ROLES = ['system', 'user', 'assistant', 'tool', 'developer'];
const PART_TYPES = ['text', 'image', 'audio', 'video', 'document'];
const PART_TEXTS = ['type', 'base64_data', 'url', 'data', 'encode_format', 'format', 'mime_type', 'detail', 'filename'];

const UNREADABLE = { role: '', content: false };

const PromptMessage = record('PromptMessage', {
  role: string('Role').check(required, oneOf(ROLES, 'prompt_message_role')),
  content: any('Content')
    .check(
      { tag: 'required', ok: (content) => content !== false },
      {
        tag: 'prompt_message_content',
        ok: (content) => !Array.isArray(content) || content.every((part) => PART_TYPES.includes(asObject(part).type)),
      },
    )
    .describe('A text, a list of parts, or null.'),
});

export const checkedMessages = () =>
  array('PromptMessages', PromptMessage, { dive: true }).from((given) =>
    Array.isArray(given) && !given.every(isReadable)
      ? given.map((message: unknown) => (isReadable(message) ? message : UNREADABLE))
      : given,
  );

function isReadable(message: unknown): boolean {
  if (!isObject(message)) return false;
  const { role, content, name, tool_calls: calls, tool_call_id: callId } = message;
  return (
    typeof role === 'string' &&
    role !== '' &&
    isReadableContent(content) &&
    isText(name) &&
    isText(callId) &&
    (isAbsent(calls) || (Array.isArray(calls) && calls.every(isReadableCall)))
  );
}

function isReadableContent(content: unknown): boolean {
  if (Array.isArray(content))
    return content.every((part) => isAbsent(part) || (isObject(part) && PART_TEXTS.every((key) => isText(part[key]))));
  return isAbsent(content) || typeof content === 'string';
}

function isReadableCall(call: unknown): boolean {
  if (isAbsent(call)) return true;
  if (!isObject(call)) return false;
  const { id, type, function: called } = call;
  return (
    isText(id) &&
    isText(type) &&
    (isAbsent(called) || (isObject(called) && isText(called.name) && isText(called.arguments)))
  );
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const isText = (value: unknown): boolean => isAbsent(value) || typeof value === 'string';
const asObject = (value: unknown): { readonly type: string } => ({
  type: isObject(value) && typeof value.type === 'string' ? value.type : '',
});
