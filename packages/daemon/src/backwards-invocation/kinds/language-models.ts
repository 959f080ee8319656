import {
  array,
  boolean,
  embed,
  nullable,
  object,
  oneOf,
  record,
  required,
  rule,
  string,
} from '@plugin-daemon/wire-schema';
import { memberText, withMember } from '../dify/index.ts';
import { difyKind } from './kind.ts';
import { model } from './model.ts';

const Tool = record('PromptMessageTool', {
  name: string('Name').check(required),
  description: string('Description'),
  parameters: object('Parameters'),
});

const ToolChoice = record('ToolChoice', {
  mode: string('Mode')
    .called('model_entities.ToolChoiceMode')
    .check(required, oneOf(['auto', 'none', 'required', 'tool'])),
  name: string('Name').omit(),
});

const namesItsTool = rule('required_for_tool', (choice) => {
  if (typeof choice !== 'object' || choice === null || !('mode' in choice) || choice.mode !== 'tool') return true;
  return 'name' in choice && typeof choice.name === 'string' && choice.name.trim() !== '';
});

/**
 * Prompt messages are passed on as they are: their shapes change with Dify's models, and Dify checks them
 * (docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
const completion = embed('InvokeLLMSchema', {
  mode: string('Mode').check(required),
  completion_params: object('CompletionParams'),
  prompt_messages: array('PromptMessages', object('')),
  tools: array('Tools', Tool, { dive: true }),
  tool_choice: nullable({ ...string('ToolChoice'), type: ToolChoice })
    .check(namesItsTool)
    .omit(),
  stop: array('Stop', string('')),
  stream: boolean('Stream'),
});

/** Old SDKs want the list; nobody wants the messages, which repeat the request in each chunk. */
function withoutMessages(data: string): string {
  if (data.includes('"prompt_messages":[]') && memberText(data, 'prompt_messages') === '[]') return data;
  return withMember(data, 'prompt_messages', '[]');
}

export const languageModelKinds = [
  difyKind({
    type: 'llm',
    path: 'invoke/llm',
    failure: 'invoke llm model failed: ',
    readFailure: 'read llm model failed: ',
    request: record('InvokeLLMRequest', model, completion),
    adapt: withoutMessages,
  }),
  difyKind({
    type: 'llm_structured_output',
    path: 'invoke/llm/structured-output',
    failure: 'invoke llm with structured output model failed: ',
    readFailure: 'read llm with structured output model failed: ',
    request: record('InvokeLLMWithStructuredOutputRequest', model, completion, {
      structured_output_schema: object('StructuredOutputSchema').check(required),
    }),
    adapt: withoutMessages,
  }),
  difyKind({
    type: 'system_summary',
    path: 'invoke/summary',
    failure: 'invoke summary failed: ',
    request: record(
      'InvokeSummaryRequest',
      embed('InvokeSummarySchema', { text: string('Text').check(required), instruction: string('Instruction') }),
    ),
  }),
];
