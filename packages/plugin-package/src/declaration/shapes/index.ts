/**
 * The tables of every file of a plugin: fields, types, defaults and rules, as data. Called by the decoders of declarations, and by tools
 * that check or explain files.
 */
export { agentStrategy, agentStrategyProvider } from './agent-strategy.ts';
export { CATEGORIES, type Category } from './categories.ts';
export { datasource, datasourceProvider } from './datasource.ts';
export { endpoint, endpointProvider } from './endpoint.ts';
export { manifest } from './manifest.ts';
export { MODEL_GROUPS, MODEL_TYPES, model, modelProvider, positionFile } from './model.ts';
export { CONFIG_TYPES, i18n, PLUGIN_ONLY_TAGS, SCOPES, TAGS, tagRule, tagText, versionRule } from './shared.ts';
export { tool, toolProvider } from './tool.ts';
export { event, triggerProvider } from './trigger.ts';
