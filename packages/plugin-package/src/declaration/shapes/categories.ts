import type { ObjectShape } from '../shape.ts';
import type { PluginFiles } from '../types.ts';
import { agentStrategy, agentStrategyProvider } from './agent-strategy.ts';
import { datasource, datasourceProvider } from './datasource.ts';
import { endpoint, endpointProvider } from './endpoint.ts';
import { model, modelProvider } from './model.ts';
import { tool, toolProvider } from './tool.ts';
import { event, triggerProvider } from './trigger.ts';

/** Which file leads to which, per category of plugins. */
export interface Category {
  /** the key below `plugins` that names the provider files */
  readonly files: keyof PluginFiles;
  /** the provider's key in the declaration */
  readonly key: 'tool' | 'endpoint' | 'model' | 'agent_strategy' | 'datasource' | 'trigger';
  readonly provider: ObjectShape;
  /** the objects that files named by the provider file hold, and the key they are appended to */
  readonly child: ObjectShape;
  readonly list: string;
  /** words of messages about unreadable files */
  readonly providerWord: string;
  readonly childWord: string;
}

/** In the order in which they are read. */
export const CATEGORIES: readonly Category[] = [
  {
    files: 'tools',
    key: 'tool',
    provider: toolProvider,
    child: tool,
    list: 'tools',
    providerWord: 'tool',
    childWord: 'tool',
  },
  {
    files: 'endpoints',
    key: 'endpoint',
    provider: endpointProvider,
    child: endpoint,
    list: 'endpoints',
    providerWord: 'endpoint',
    childWord: 'endpoint',
  },
  {
    files: 'models',
    key: 'model',
    provider: modelProvider,
    child: model,
    list: 'models',
    providerWord: 'model',
    childWord: 'model',
  },
  {
    files: 'agent_strategies',
    key: 'agent_strategy',
    provider: agentStrategyProvider,
    child: agentStrategy,
    list: 'strategies',
    providerWord: 'agent strategy',
    childWord: 'agent strategy',
  },
  {
    files: 'datasources',
    key: 'datasource',
    provider: datasourceProvider,
    child: datasource,
    list: 'datasources',
    providerWord: 'datasource',
    childWord: 'datasource',
  },
  {
    files: 'triggers',
    key: 'trigger',
    provider: triggerProvider,
    child: event,
    list: 'events',
    providerWord: 'trigger',
    childWord: 'event',
  },
];
