import { PackageError } from '../errors.ts';
import type { PluginDeclaration } from './types.ts';

const AUTHOR = /^[a-z0-9_-]{1,64}$/;
const NAME = /^[a-z0-9_-]{1,128}$/;

type Provider = 'tool' | 'model' | 'endpoint' | 'agent_strategy' | 'datasource' | 'trigger';
const PROVIDERS: readonly Provider[] = ['tool', 'model', 'endpoint', 'agent_strategy', 'datasource', 'trigger'];

/** Categories that stand alone, with the text that says so; the order is the order of checks. */
const EXCLUSIVE: readonly (readonly [Provider, string])[] = [
  ['model', 'model and datasource, tool, endpoint, trigger, or agent_strategy cannot be provided at the same time'],
  [
    'agent_strategy',
    'agent_strategy and tool, model, endpoint, trigger, or datasource cannot be provided at the same time',
  ],
  [
    'datasource',
    'datasource and tool, model, endpoint, trigger, or agent_strategy cannot be provided at the same time',
  ],
  ['trigger', 'trigger and tool, model, endpoint, or agent_strategy cannot be provided at the same time'],
];

/**
 * The checks between fields (docs/wire/packages.md#cross-checks); the first failure wins. @throws PackageError with the rule's text alone
 */
export function validateManifest(declaration: PluginDeclaration): void {
  if (!AUTHOR.test(declaration.author)) {
    throw new PackageError('author must be alphanumeric and less than 64 characters: ^[a-z0-9_-]{1,64}$');
  }
  if (!NAME.test(declaration.name)) {
    throw new PackageError('plugin name must be alphanumeric and less than 128 characters: ^[a-z0-9_-]{1,128}$');
  }
  const provided = PROVIDERS.filter((provider) => declaration[provider] !== undefined);
  if (provided.length === 0) {
    throw new PackageError(
      'at least one of endpoint, model, tool, agent_strategy, trigger, or datasource must be provided',
      { detail: { tag: 'combination' } },
    );
  }
  for (const [provider, text] of EXCLUSIVE) {
    if (provided.length > 1 && provided.includes(provider))
      throw new PackageError(text, { detail: { tag: 'combination' } });
  }
}
