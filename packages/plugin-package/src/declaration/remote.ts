import { createHash } from 'node:crypto';
import { PackageError } from '../errors.ts';
import { decodeJson } from './decode-json.ts';
import { presentDeclaration } from './present.ts';
import { complete, inTableOrder, type ObjectShape } from './shape.ts';
import {
  agentStrategyProvider,
  datasourceProvider,
  endpointProvider,
  manifest,
  modelProvider,
  toolProvider,
  triggerProvider,
} from './shapes/index.ts';
import type { PluginDeclaration } from './types.ts';
import { requireValid } from './validate.ts';

/** The `data` of each registration message a debugging plugin sent; of the lists only element 0 is used. */
export interface Registration {
  readonly manifest: unknown;
  readonly tools?: unknown;
  readonly models?: unknown;
  readonly endpoints?: unknown;
  readonly agentStrategies?: unknown;
  readonly datasources?: unknown;
  readonly triggers?: unknown;
}

type Category = Exclude<keyof Registration, 'manifest'>;
type ProviderKey = 'tool' | 'model' | 'endpoint' | 'agent_strategy' | 'datasource' | 'trigger';

interface CategoryRow {
  readonly from: Category;
  readonly key: ProviderKey;
  readonly shape: ObjectShape;
  readonly prefix: string;
}

const CATEGORIES: readonly CategoryRow[] = [
  { from: 'tools', key: 'tool', shape: toolProvider, prefix: prefixOf('tools') },
  { from: 'models', key: 'model', shape: modelProvider, prefix: prefixOf('models') },
  { from: 'endpoints', key: 'endpoint', shape: endpointProvider, prefix: prefixOf('endpoints') },
  {
    from: 'agentStrategies',
    key: 'agent_strategy',
    shape: agentStrategyProvider,
    prefix: prefixOf('agent strategies'),
  },
  { from: 'datasources', key: 'datasource', shape: datasourceProvider, prefix: prefixOf('datasources') },
  { from: 'triggers', key: 'trigger', shape: triggerProvider, prefix: prefixOf('triggers') },
];

function prefixOf(words: string): string {
  return `${words} register failed, invalid ${words} declaration: `;
}

/**
 * One declaration from the messages of a debugging plugin; every part is held to the full rules. Cross checks are apart
 * (`validateManifest`), because icons are remapped and the checksum is taken before them.
 * @throws PackageError with the texts of docs/wire/packages.md#error-texts, prefix included
 */
export function declarationFromRegistration(registration: Registration): PluginDeclaration {
  const own = decodeRegisteredManifest(registration.manifest);
  for (const { from } of CATEGORIES) {
    if (registration[from] !== undefined) Object.assign(own, decodeRegisteredList(from, registration[from]));
  }
  // both the manifest and its table know every key
  return presentDeclaration(inTableOrder(manifest, { ...own }) as unknown as PluginDeclaration);
}

/** The manifest message alone, so that it can be judged when it comes. @throws PackageError */
export function decodeRegisteredManifest(json: unknown): PluginDeclaration {
  return prefixed('handshake failed, invalid plugin declaration: ', () => {
    const value = decodeJson(json, manifest);
    requireValid(manifest, value);
    complete(manifest, value);
    // the table of the manifest is checked against this type
    return value as PluginDeclaration;
  });
}

/** One category's list alone: the provider under its key in the declaration; empty for an empty list. @throws PackageError */
export function decodeRegisteredList(category: Category, json: unknown): Partial<Pick<PluginDeclaration, ProviderKey>> {
  const row = CATEGORIES.find((one) => one.from === category);
  if (row === undefined) throw new TypeError(`unknown category ${category}`);
  return prefixed(row.prefix, () => {
    if (json === null) return {};
    if (!Array.isArray(json))
      throw new PackageError(`json: cannot unmarshal object into Go value of type []${row.shape.type}`);
    let first: unknown;
    for (const [i, item] of json.entries()) {
      requireListed(row, item);
      const value = decodeJson(item, row.shape);
      requireValid(row.shape, value);
      complete(row.shape, value);
      if (i === 0) first = value;
    }
    return first === undefined ? {} : { [row.key]: first };
  });
}

/** Keys that a provider must bring along, even if null. */
function requireListed(row: CategoryRow, item: unknown): void {
  const has = (key: string) => typeof item === 'object' && item !== null && key in item;
  if (row.key === 'tool' && !has('credentials_schema') && !has('credentials_for_provider')) {
    throw new PackageError('failed to unmarshal credentials_schema as array: unexpected end of JSON input');
  }
  if (row.key === 'model' && !has('models')) throw new PackageError('unexpected end of JSON input');
}

function prefixed<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new PackageError(prefix + error.message, error);
  }
}

/**
 * Identity checksum of a debugging plugin: SHA-256 over declaration JSON and tenant id. The declaration must have its icons
 * remapped; the same declaration always gives the same text, because its keys are written in table order.
 */
export function remoteChecksum(declaration: PluginDeclaration, tenantId: string): string {
  return createHash('sha256')
    .update(JSON.stringify(presentDeclaration(declaration)))
    .update(tenantId)
    .digest('hex');
}
