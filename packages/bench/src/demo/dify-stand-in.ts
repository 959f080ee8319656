/**
 * What Dify does when a plugin calls back: it hands the call to the plugin that owns the model or tool.
 *
 * `provider` is Dify's long name, `author/plugin/provider`. Credentials of models live in Dify, so they are added here.
 */
import type { DaemonClient } from '../daemon/index.ts';
import type { StreamAnswer } from '../fakes/index.ts';

interface Owner {
  readonly pluginId: string;
  readonly provider: string;
}

export function ownerOf(provider: unknown): Owner {
  const parts = String(provider).split('/');
  const [author, plugin, name] = parts;
  if (parts.length !== 3 || !author || !plugin || !name)
    throw new Error(`provider ${String(provider)} is not of the form author/plugin/provider`);
  return { pluginId: `${author}/${plugin}`, provider: name };
}

export function llmByPlugin(client: () => DaemonClient, credentials: object): StreamAnswer {
  return async function* (request, signal) {
    const { pluginId, provider } = ownerOf(request.provider);
    yield* client().invoke(
      'llm/invoke',
      pluginId,
      {
        provider,
        model: request.model,
        model_type: 'llm',
        credentials,
        model_parameters: request.completion_params ?? {},
        prompt_messages: request.prompt_messages,
        tools: request.tools ?? [],
        stop: request.stop ?? [],
        stream: request.stream !== false,
      },
      signal,
    );
  };
}

export function toolByPlugin(client: () => DaemonClient): StreamAnswer {
  return async function* (request, signal) {
    const { pluginId, provider } = ownerOf(request.provider);
    const data = { provider, tool: request.tool, tool_parameters: request.tool_parameters, credentials: {} };
    for await (const message of client().invoke('tool/invoke', pluginId, data, signal)) {
      // Dify stores the pieces of a file and sends a link instead; nobody here would follow the link.
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'blob_chunk')
        continue;
      yield message;
    }
  };
}
