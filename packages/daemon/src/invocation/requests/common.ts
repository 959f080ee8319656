/** Fields that many requests share (docs/wire/http-api.md#dispatch). */
import { MODEL_TYPES } from '@plugin-daemon/plugin-package';
import {
  any,
  array,
  boolean,
  embed,
  eq,
  nested,
  nullable,
  object,
  oneOf,
  record,
  required,
  string,
  withRules,
} from '@plugin-daemon/wire-schema';

export const credentials = () =>
  embed('Credentials', {
    credentials: object('Credentials').describe(
      'Decrypted credentials, as the plugin expects them; `{}` where it needs none.',
    ),
    credential_type: string('CredentialType').omit().describe('`api-key`, `oauth2` or `unauthorized`.'),
  });

export const baseModel = () =>
  embed('BaseRequestInvokeModel', {
    provider: string('Provider').check(required).describe('Name of the provider inside the plugin.'),
    model: string('Model').check(required),
  });

export const modelType = (only?: (typeof MODEL_TYPES)[number]) => {
  const field = string('ModelType').check(required, oneOf(MODEL_TYPES, 'model_type'));
  return { model_type: only === undefined ? field : field.check(eq(only)) };
};

export const PromptMessageTool = record('PromptMessageTool', {
  name: string('Name').check(required),
  description: string('Description'),
  parameters: object('Parameters'),
});

const ToolChoice = withRules(
  record('ToolChoice', {
    mode: string('Mode').check(required, oneOf(['auto', 'none', 'required', 'tool'])),
    name: string('Name').omit(),
  }),
  {
    field: 'name',
    tag: 'required_for_tool',
    ok: ({ mode, name }) => mode !== 'tool' || (typeof name === 'string' && name.trim() !== ''),
  },
);

export const llmFields = () =>
  embed('InvokeLLMSchema', {
    model_parameters: object('ModelParameters'),
    prompt_messages: array('PromptMessages', any('')),
    tools: array('Tools', PromptMessageTool, { dive: true }),
    tool_choice: nullable(nested('ToolChoice', ToolChoice)).omit(),
    stop: array('Stop', string('')),
    json_schema: object('JSONSchema'),
    stream: boolean('Stream'),
  });

export const MultimodalContent = record('MultimodalContent', {
  content: string('Content').check(required),
  content_type: string('ContentType')
    .called('model_entities.MultimodalContentType')
    .check(required, oneOf(['text', 'image'], 'multimodal_content_type')),
});
