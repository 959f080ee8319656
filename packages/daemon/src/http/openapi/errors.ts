/** Errors in the description, made from the catalogue. */

import { errorKinds } from '@plugin-daemon/plugin-host/errors';
import type { JsonSchema } from '@plugin-daemon/wire-schema';

const kinds = Object.entries(errorKinds);
const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

const details: JsonSchema = {
  title: 'ErrorDetails',
  description: 'What happened. For `PluginInvokeError` the message is again JSON text: a PluginError.',
  type: 'object',
  properties: {
    message: { type: 'string', description: 'The cause; then what to do about it, where something can be done.' },
    error_type: { enum: distinct(kinds.map(([, kind]) => kind.type)) },
    args: {
      type: ['object', 'null'],
      additionalProperties: true,
      description: 'Figures of the message, such as `limit_bytes` and `setting`.',
    },
  },
  required: ['message', 'error_type', 'args'],
};

/** What a plugin's failure looks like; nothing refers to it, as it stands in a text in a text. */
export const pluginError: JsonSchema = {
  title: 'PluginError',
  description: 'What a plugin failed with: the message of ErrorDetails when its type is `PluginInvokeError`.',
  type: 'object',
  properties: {
    error_type: {
      type: 'string',
      description:
        "The name of the plugin's exception, such as `InvokeRateLimitError`; `unmarshal_error` when its answer could not be read.",
    },
    message: { type: 'string' },
    args: {
      type: ['object', 'null'],
      additionalProperties: true,
      description: '`traceback`, and `description` of models.',
    },
  },
  required: ['error_type', 'message'],
};

export const errorEnvelope: JsonSchema = {
  title: 'ErrorEnvelope',
  type: 'object',
  description: 'Every error. `message` is JSON text: ErrorDetails.',
  properties: {
    code: { enum: distinct(kinds.map(([, kind]) => kind.code)) },
    message: { type: 'string', contentMediaType: 'application/json', contentSchema: details },
    data: { type: 'null' },
  },
  required: ['code', 'message', 'data'],
  'x-errors': kinds.map(([kind, { code, type, status, meaning }]) => ({
    kind,
    code,
    error_type: type,
    http_status: status,
    meaning,
  })),
};

/** Statuses with which errors come, and when. */
export const errorStatuses = {
  400: 'The request is not acceptable: a field is missing or wrong, a header is missing, an identifier is malformed.',
  401: 'The key is missing or wrong.',
  404: 'There is no such thing.',
  413: 'The body is over its limit; the message names limit and setting.',
  429: 'This address asks too much at once, or came with wrong keys too often.',
  500: 'The daemon could not do it, or the plugin does not run now.',
  503: 'There is no memory for it at this moment; the message names limit and setting.',
  504: 'The plugin took longer than PLUGIN_MAX_EXECUTION_TIMEOUT.',
} as const satisfies Record<number, string>;

/** An error as an example, with the text in the text. */
export const errorExample = (code: number, type: string, message: string): JsonSchema => ({
  code,
  message: JSON.stringify({ message, error_type: type, args: null }),
  data: null,
});
