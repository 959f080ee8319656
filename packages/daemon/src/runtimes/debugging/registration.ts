import { jsonProblemText, parseForeign } from '@plugin-daemon/plugin-host/json';
import {
  assertDeclarationSize,
  decodeRegisteredList,
  decodeRegisteredManifest,
  isUniqueIdentifier,
  PackageError,
  type PluginDeclaration,
  presentDeclaration,
  remapAssets,
  remoteChecksum,
  stringifyDeclaration,
  validateManifest,
} from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import { StoredDeclaration } from '../../database/index.ts';
import { Refusal, refusals } from './refusal.ts';

/** One message before the plugin is registered; `event` marks what belongs to a running plugin. */
export type RegistrationMessage =
  | { readonly type: string; readonly data: unknown }
  /** A heartbeat or the like of a plugin whose threads ran on while it reconnected (docs/wire/runtime-protocol.md#registration). */
  | 'event'
  | 'blank';

/** @throws Refusal for anything that is no message */
export function parseMessage(line: Buffer): RegistrationMessage {
  const text = line.toString('utf8').trim();
  if (text === '') return 'blank';
  const parsed = parseForeign(text);
  if (!parsed.ok) {
    const { problem } = parsed;
    throw new Refusal(refusals.badMessage + (problem === 'syntax' ? '' : `: ${jsonProblemText[problem]}`));
  }
  const { value } = parsed;
  if (!isObject(value)) throw new Refusal(refusals.badMessage);
  const { type, data, event } = value;
  if (type === undefined && typeof event === 'string') return 'event';
  if (typeof type !== 'string' || type === '' || data === undefined) throw new Refusal(refusals.badMessage);
  return { type, data };
}

/** The key of a handshake. @throws Refusal */
export function handshakeKey({ type, data }: { readonly type: string; readonly data: unknown }): string {
  const key = type === 'handshake' && isObject(data) ? data['key'] : undefined;
  if (typeof key !== 'string' || key === '') throw new Refusal(refusals.badMessage);
  return key;
}

type Category = Parameters<typeof decodeRegisteredList>[0];

/** The lists by message type, and what is said when one comes twice. */
const lists: Readonly<Record<string, readonly [category: Category, twice: string]>> = {
  tool_declaration: ['tools', 'tools declaration already registered'],
  model_declaration: ['models', 'models declaration already registered'],
  endpoint_declaration: ['endpoints', 'endpoints declaration already registered'],
  agent_strategy_declaration: ['agentStrategies', 'agent strategy declaration already registered'],
  datasource_declaration: ['datasources', 'datasource declaration already registered'],
  trigger_declaration: ['triggers', 'triggers declaration already registered'],
};

/** Decoded bytes of all assets, as upstream limits them. */
const maxAssetBytes = 50 * 1024 * 1024;
const maxAssetFiles = 4096;

/** A plugin that has said all about itself. */
export interface RegisteredPlugin {
  readonly pluginId: string;
  /** The plugin unique identifier. */
  readonly identifier: string;
  readonly declaration: StoredDeclaration;
  /** Icons by asset id. */
  readonly media: ReadonlyMap<string, Uint8Array>;
}

/** Collects what a plugin registers after its handshake, judging each part as it comes. Pure: bytes in, values out. */
export class Registration {
  readonly #tenantId: string;
  #manifest: PluginDeclaration | undefined;
  readonly #providers: Partial<PluginDeclaration> = {};
  readonly #seen = new Set<string>();
  readonly #assets = new Map<string, Buffer[]>();
  #assetBytes = 0;

  constructor(tenantId: string) {
    this.#tenantId = tenantId;
  }

  /**
   * Takes one message.
   * @returns the plugin when this was the last one
   * @throws Refusal with the line for the developer
   */
  accept({ type, data }: { readonly type: string; readonly data: unknown }): RegisteredPlugin | undefined {
    if (type === 'handshake') throw new Refusal(refusals.twice);
    if (type === 'asset_chunk') this.#addAsset(data);
    else if (type === 'end') return this.#complete();
    else if (type === 'manifest_declaration') {
      if (this.#manifest !== undefined) throw new Refusal('declaration already registered');
      this.#manifest = refusing('', () => decodeRegisteredManifest(data));
    } else if (Object.hasOwn(lists, type)) {
      const [category, twice] = lists[type] ?? [];
      if (category === undefined || this.#seen.has(type)) throw new Refusal(twice ?? refusals.badMessage);
      Object.assign(
        this.#providers,
        refusing('', () => decodeRegisteredList(category, data)),
      );
      this.#seen.add(type);
    }
    return undefined;
  }

  #addAsset(data: unknown): void {
    const { filename, data: content } = isObject(data) ? data : {};
    for (const [field, value] of [
      ['filename', filename],
      ['data', content],
    ]) {
      if (typeof value !== 'string' || value === '') {
        throw new Refusal(`transfer assets failed, error: ${String(field)} must be a text that is not empty`);
      }
    }
    const name = String(filename);
    const encoded = String(content);
    if (this.#assetBytes + encoded.length > maxAssetBytes) throw new Refusal('assets too large, at most 50MB');
    const parts = this.#assets.get(name) ?? [];
    if (parts.length === 0 && this.#assets.size >= maxAssetFiles) {
      throw new Refusal(`assets too large, at most ${maxAssetFiles} files`);
    }
    const bytes = decodeBase64(encoded);
    this.#assetBytes += bytes.length;
    parts.push(bytes);
    this.#assets.set(name, parts);
  }

  #complete(): RegisteredPlugin {
    if (this.#seen.size === 0) throw new Refusal(refusals.nothingDeclared);
    if (this.#manifest === undefined) throw new Refusal(refusals.noManifest);
    const files = new Map([...this.#assets].map(([name, parts]) => [name, Buffer.concat(parts)]));
    // Whoever debugs a plugin cannot vouch for it (docs/wire/runtime-protocol.md#registration).
    const whole: PluginDeclaration = { ...this.#manifest, ...this.#providers, verified: false };
    const { declaration: remapped, media } = refusing('assets remap failed, invalid assets data, cannot remap: ', () =>
      remapAssets(whole, files),
    );
    const declaration = presentDeclaration(remapped);
    const checksum = remoteChecksum(declaration, this.#tenantId);
    const invalid = 'register failed, invalid manifest detected: ';
    refusing(invalid, () => {
      validateManifest(declaration);
      assertDeclarationSize(declaration);
    });
    const { author, name, version } = declaration;
    const pluginId = author === '' ? name : `${author}/${name}`;
    const identifier = `${pluginId}:${version}@${checksum}`;
    if (!isUniqueIdentifier(identifier)) {
      throw new Refusal(`${invalid}plugin_unique_identifier is not valid: ${identifier}`);
    }
    const stored = new StoredDeclaration(identifier, pluginId, stringifyDeclaration(declaration));
    return { pluginId, identifier, declaration: stored, media };
  }
}

/** Problems of what was sent become the developer's line. */
function refusing<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof PackageError) throw new Refusal(prefix + error.message);
    throw error;
  }
}

/** Standard base64 with padding, nothing else. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (text.length % 4 !== 0 || bytes.length !== (text.length / 4) * 3 - padding(text) || /[^A-Za-z0-9+/=]/.test(text)) {
    throw new Refusal('assets decode failed, error: the data is not valid base64');
  }
  return bytes;
}

const padding = (text: string): number => (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
