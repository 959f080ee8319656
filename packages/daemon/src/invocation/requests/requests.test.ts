import { pathText, validate } from '@plugin-daemon/wire-schema';
import { expect, test } from 'vitest';
import { dispatchActions } from '../actions.ts';
import { dispatchBody, readDispatchBody } from '../request-message.ts';

/** The violations of a request, `path tag`. */
function violations(path: string, data: object): string[] {
  const action = dispatchActions.find((known) => known.path === path);
  if (action === undefined) throw new Error(`no action ${path}`);
  const whole = { data: { provider: 'p', model: 'm', model_type: 'llm', ...data } };
  const { value } = readDispatchBody(action, whole, JSON.stringify(whole), 't');
  return validate(dispatchBody(action), value).map(
    (violation) => `${pathText(violation.path).replace(/^.*\]\.Data\./, '')} ${violation.tag}`,
  );
}

test.each([
  [{ mode: 'tool' }, ['InvokeLLMSchema.ToolChoice.name required_for_tool']],
  [{ mode: 'tool', name: ' ' }, ['InvokeLLMSchema.ToolChoice.name required_for_tool']],
  [{ mode: 'tool', name: 'n' }, []],
  [{ mode: 'auto' }, []],
  [{ mode: 'some' }, ['InvokeLLMSchema.ToolChoice.Mode oneof']],
  [{}, ['InvokeLLMSchema.ToolChoice.Mode required']],
  [null, []],
])('tool choice %j', (tool_choice, expected) => {
  expect(violations('/llm/invoke', { tool_choice })).toEqual(expected);
});

const unreadable = ['PromptMessages[0].Role required', 'PromptMessages[0].Content required'];

test.each([
  [7, unreadable],
  [null, unreadable],
  [{ content: 'hi' }, unreadable],
  [{ role: 'user', content: 7 }, unreadable],
  [{ role: 'user', content: ['x'] }, unreadable],
  [{ role: 'user', content: 'hi', name: 7 }, unreadable],
  [{ role: 'user', content: 'hi', tool_calls: [{ function: 7 }] }, unreadable],
  [{ role: 'user', content: [{}] }, ['PromptMessages[0].Content prompt_message_content']],
  [{ role: 'poet', content: 'hi' }, ['PromptMessages[0].Role prompt_message_role']],
  [{ role: 'user', content: null }, []],
  [{ role: 'user' }, []],
  [
    { role: 'assistant', content: [{ type: 'text', data: 'x' }], tool_calls: [{ id: 'i', function: { name: 'n' } }] },
    [],
  ],
])('a message whose tokens are counted: %j', (message, expected) => {
  expect(violations('/llm/num_tokens', { prompt_messages: [message] })).toEqual(expected);
});
