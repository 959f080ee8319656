/** What endpoints need from elsewhere. */
import type { ProviderConfig } from '@plugin-daemon/plugin-package';
import type { JsonObject } from '../database/index.ts';

export interface CipherRequest {
  readonly tenantId: string;
  /** The acting user; empty where there is none. */
  readonly userId: string;
  /** The endpoint's id: Dify keeps keys and its own cache under it. */
  readonly identity: string;
  readonly data: JsonObject;
  /** The declared settings; without a `secret-input` among them Dify is not asked and `data` comes back. */
  readonly config: readonly ProviderConfig[];
  readonly signal?: AbortSignal;
}

/** Encryption of settings, which is Dify's business (config-storage-database §7). Rejects with the reason when Dify refuses. */
export interface SettingsCipher {
  encrypt(request: CipherRequest): Promise<JsonObject>;
  decrypt(request: CipherRequest): Promise<JsonObject>;
  /** Makes Dify forget what it remembers of decrypted values under this identity. */
  clear(request: CipherRequest): Promise<void>;
}
