/** Secrets in endpoint settings: Dify encrypts and decrypts them, the daemon only asks (docs/wire/state.md#endpoint-settings). */

import type { ProviderConfig } from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import type { JsonObject } from '../database/index.ts';
import { type DifyCallOptions, type DifyClient, DifyError } from './dify/index.ts';

export interface SettingsRequest extends DifyCallOptions {
  readonly tenantId: string;
  /** Empty on list, invoke and remove. */
  readonly userId: string;
  readonly endpointId: string;
  readonly data: JsonObject;
  /** The settings that the plugin declares; nothing is encrypted without a `secret-input` among them. */
  readonly config: readonly ProviderConfig[] | null | undefined;
}

/** All three reject with `DifyError`. */
export interface SettingsCipher {
  /** The settings with secrets encrypted. Without secrets in `config` Dify is not asked. */
  encrypt(request: SettingsRequest): Promise<JsonObject>;
  /** The settings with secrets in clear. Without secrets in `config` Dify is not asked. */
  decrypt(request: SettingsRequest): Promise<JsonObject>;
  /**
   * Makes Dify forget what it decrypted for this endpoint; it remembers that for a day and would answer with old values.
   * Needed after each change and on removal. Always asks Dify (docs/wire/state.md#endpoint-settings); a failure leaves nothing broken but
   * the old memory.
   */
  clear(request: Omit<SettingsRequest, 'data'>): Promise<void>;
}

export function createSettingsCipher(dify: Pick<DifyClient, 'call'>): SettingsCipher {
  const ask = async (
    opt: 'encrypt' | 'decrypt' | 'clear',
    request: SettingsRequest,
  ): Promise<JsonObject | undefined> => {
    const { tenantId, userId, endpointId, data, config, ...options } = request;
    const body = JSON.stringify({
      tenant_id: tenantId,
      user_id: userId,
      type: 'encrypt',
      opt,
      namespace: 'endpoint',
      identity: endpointId,
      data,
      config: config ?? [],
    });
    const answer: unknown = JSON.parse(await dify.call('invoke/encrypt', body, options));
    const inner = isObject(answer) ? answer['data'] : undefined;
    return isObject(inner) ? inner : undefined;
  };
  const transform = async (opt: 'encrypt' | 'decrypt', request: SettingsRequest): Promise<JsonObject> => {
    if (request.config?.some(({ type }) => type === 'secret-input') !== true) return request.data;
    const settings = await ask(opt, request);
    if (settings === undefined) throw new DifyError('read', 'data is nil');
    return settings;
  };
  return {
    encrypt: (request) => transform('encrypt', request),
    decrypt: (request) => transform('decrypt', request),
    clear: async (request) => {
      await ask('clear', { ...request, data: {} });
    },
  };
}
