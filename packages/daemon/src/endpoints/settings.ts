import type { SettingsCipher } from '../backwards-invocation/index.ts';
import type { EndpointRecord, JsonObject } from '../database/index.ts';
import type { EndpointConfig } from './declaration.ts';

export interface DecryptedSettingsOptions {
  /** How long decrypted settings are remembered, in ms; default 10,000. */
  readonly lifetimeMs?: number;
  /** How many endpoints are remembered at most; default 1,000. */
  readonly capacity?: number;
}

interface Remembered {
  readonly version: string;
  readonly until: number;
  readonly settings: Promise<JsonObject>;
}

/**
 * Decrypts endpoint settings and remembers them briefly, in memory only, so that a busy webhook does not call Dify for every
 * request. An entry counts only for the row as it was when it was read (`updated_at`), and only for its short life: what another
 * node changes is seen soon. Calls that come together share one question to Dify.
 */
export class DecryptedSettings {
  readonly #cipher: Pick<SettingsCipher, 'decrypt'>;
  readonly #lifetimeMs: number;
  readonly #capacity: number;
  readonly #entries = new Map<string, Remembered>();

  constructor(cipher: Pick<SettingsCipher, 'decrypt'>, options: DecryptedSettingsOptions = {}) {
    this.#cipher = cipher;
    this.#lifetimeMs = options.lifetimeMs ?? 10_000;
    this.#capacity = options.capacity ?? 1_000;
  }

  /** The settings of an endpoint in the clear. Rejects with Dify's reason when they cannot be decrypted; failures are not remembered. */
  async of(endpoint: EndpointRecord, group: NonNullable<EndpointConfig['group']>): Promise<JsonObject> {
    if (!group.settings.some(({ type }) => type === 'secret-input')) return endpoint.settings;
    const known = this.#entries.get(endpoint.id);
    if (known !== undefined && known.version === endpoint.updated_at && known.until > Date.now()) return known.settings;
    const settings = this.#cipher.decrypt({
      tenantId: endpoint.tenant_id,
      userId: '',
      endpointId: endpoint.id,
      data: endpoint.settings,
      config: group.settings,
    });
    const entry = { version: endpoint.updated_at, until: Date.now() + this.#lifetimeMs, settings };
    this.#remember(endpoint.id, entry);
    try {
      return await settings;
    } catch (error) {
      if (this.#entries.get(endpoint.id) === entry) this.#entries.delete(endpoint.id);
      throw error;
    }
  }

  /** The endpoint changed or went away. */
  forget(endpointId: string): void {
    this.#entries.delete(endpointId);
  }

  #remember(id: string, entry: Remembered): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    const now = Date.now();
    for (const [oldest, { until }] of this.#entries) {
      if (this.#entries.size <= this.#capacity && until > now) break;
      this.#entries.delete(oldest);
    }
  }
}
