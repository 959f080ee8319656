import { PLUGIN_ONLY_TAGS } from './shapes/index.ts';
import type { I18n, PluginCategory, PluginDeclaration, ProviderIdentity } from './types.ts';

/**
 * What HTTP answers carry: providers without a description or tags take the plugin's. Does not change its argument; a
 * declaration that lacks nothing comes back as it is.
 */
export function presentDeclaration(declaration: PluginDeclaration): PluginDeclaration {
  let presented = declaration;
  const { tool, model, trigger } = declaration;
  if (tool !== undefined) {
    // Dify refuses a whole list of plugins over one tool with a tag that is only meant for plugins
    const tags = declaration.tags.filter((tag) => !PLUGIN_ONLY_TAGS.includes(tag));
    const identity = inherit(tool.identity, declaration.description, tags);
    if (identity !== tool.identity) presented = { ...presented, tool: { ...tool, identity } };
  }
  if (model !== undefined && model.description === null) {
    presented = { ...presented, model: { ...model, description: declaration.description } };
  }
  if (trigger !== undefined) {
    const identity = inherit(trigger.identity, declaration.description, declaration.tags);
    if (identity !== trigger.identity) presented = { ...presented, trigger: { ...trigger, identity } };
  }
  return presented;
}

function inherit(identity: ProviderIdentity, pluginDescription: I18n, pluginTags: readonly string[]): ProviderIdentity {
  const description = identity.description.en_US === '' ? pluginDescription : identity.description;
  const tags = identity.tags.length === 0 ? [...pluginTags] : identity.tags;
  const changed = description !== identity.description || tags.length !== identity.tags.length;
  return changed ? { ...identity, description, tags } : identity;
}

/** The category used by list filters (docs/wire/packages.md#category). */
export function declarationCategory(declaration: PluginDeclaration): PluginCategory {
  const has = (provider: unknown, files: readonly string[] | null) =>
    (provider !== undefined && provider !== null) || (files !== null && files !== undefined && files.length > 0);
  const { plugins } = declaration;
  if (has(declaration.tool, plugins.tools)) return 'tool';
  if (has(declaration.model, plugins.models)) return 'model';
  if (has(declaration.datasource, plugins.datasources)) return 'datasource';
  if (has(declaration.agent_strategy, plugins.agent_strategies)) return 'agent-strategy';
  if (has(declaration.trigger, plugins.triggers)) return 'trigger';
  return 'extension';
}
