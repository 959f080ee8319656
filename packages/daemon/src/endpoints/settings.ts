import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { LRUCache } from 'lru-cache';
import type { SettingsCipher } from '../backwards-invocation/index.ts';
import type { EndpointRecord, JsonObject } from '../database/index.ts';
import type { EndpointConfig } from './declaration.ts';

export interface DecryptedSettingsOptions {
  /** How long decrypted settings are remembered, in ms; default 10,000. With 0 they are not. */
  readonly lifetimeMs?: number;
  /** How many endpoints are remembered at most; default 1,000. */
  readonly capacity?: number;
}

interface Remembered {
  readonly version: string;
  readonly settings: Promise<JsonObject>;
}

/**
 * Decrypts endpoint settings and remembers them briefly, in memory only, so that a busy webhook does not call Dify for every
 * request. An entry counts only for the row as it was when it was read (`updated_at`), and only for its short life: what another
 * node changes is seen soon. Calls that come together share one question to Dify.
 */
export class DecryptedSettings {
  readonly #cipher: Pick<SettingsCipher, 'decrypt'>;
  readonly #entries: LRUCache<string, Remembered> | undefined;

  constructor(cipher: Pick<SettingsCipher, 'decrypt'>, options: DecryptedSettingsOptions = {}) {
    this.#cipher = cipher;
    const { lifetimeMs: ttl = 10_000, capacity: max = 1_000 } = options;
    // Secrets are not kept a moment longer than they are of use.
    this.#entries = ttl > 0 ? new LRUCache({ ...countedUpTo(max), ttl, ttlAutopurge: true }) : undefined;
  }

  /** The settings of an endpoint in the clear. Rejects with Dify's reason when they cannot be decrypted; failures are not remembered. */
  async of(endpoint: EndpointRecord, group: NonNullable<EndpointConfig['group']>): Promise<JsonObject> {
    if (!group.settings.some(({ type }) => type === 'secret-input')) return endpoint.settings;
    const known = this.#entries?.get(endpoint.id);
    if (known !== undefined && known.version === endpoint.updated_at) return known.settings;
    const settings = this.#cipher.decrypt({
      tenantId: endpoint.tenant_id,
      userId: '',
      endpointId: endpoint.id,
      data: endpoint.settings,
      config: group.settings,
    });
    const entry = { version: endpoint.updated_at, settings };
    this.#entries?.set(endpoint.id, entry);
    try {
      return await settings;
    } catch (error) {
      if (this.#entries?.peek(endpoint.id) === entry) this.#entries?.delete(endpoint.id);
      throw error;
    }
  }

  /** The endpoint changed or went away. */
  forget(endpointId: string): void {
    this.#entries?.delete(endpointId);
  }
}
