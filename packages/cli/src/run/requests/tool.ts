/** Calls of tools, and of strategies of agents. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { CallSpec, Inputs } from './call.ts';
import { convertAll, optionsOf, pick } from './parameters.ts';

export function toolRequest(
  declaration: PluginDeclaration,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const tool = pick(declaration.tool?.tools ?? [], (each) => each.identity.name, name, 'tool');
  const label = `tool ${tool.identity.name}`;
  const declared = (tool.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
  const request = {
    provider: declaration.tool?.identity.name ?? '',
    tool: tool.identity.name,
    tool_parameters: convertAll(declared, params, label),
    credentials,
  };
  return { type: 'tool', action: 'invoke_tool', request, label };
}

export function strategyRequest(
  declaration: PluginDeclaration,
  name: string | undefined,
  { params }: Inputs,
): CallSpec {
  const provider = declaration.agent_strategy;
  const strategy = pick(provider?.strategies ?? [], (each) => each.identity.name, name, 'agent strategy');
  const label = `agent strategy ${strategy.identity.name}`;
  const given = new Map(params);
  // Without Dify any model does: calls to it are answered here.
  for (const parameter of strategy.parameters ?? []) {
    if (given.has(parameter.name)) continue;
    if (parameter.type === 'model-selector')
      given.set(
        parameter.name,
        JSON.stringify({
          provider: 'example',
          model: 'example',
          model_type: 'llm',
          mode: 'chat',
          completion_params: {},
          history_prompt_messages: [],
          entity: null,
        }),
      );
    if (parameter.type === 'array[tools]') given.set(parameter.name, '[]');
  }
  const declared = (strategy.parameters ?? []).map((parameter) => ({
    ...parameter,
    options: optionsOf(parameter),
  }));
  const request = {
    agent_strategy_provider: provider?.identity.name ?? '',
    agent_strategy: strategy.identity.name,
    agent_strategy_params: convertAll(declared, given, label),
  };
  return { type: 'agent_strategy', action: 'invoke_agent_strategy', request, label };
}
