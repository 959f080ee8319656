/** Settings as somebody entered them: what is valid, and what a secret that comes back as it was shown stands for. */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { maskSettings, normalizeSettings, type ProviderConfig, validateSettings } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { JsonObject } from '../database/index.ts';
import type { EndpointConfig } from './declaration.ts';

export type Group = NonNullable<EndpointConfig['group']>;

/** @returns the settings as they are stored */
export function validated(settings: JsonObject, config: readonly ProviderConfig[]): JsonObject {
  const normal = normalizeSettings(settings, config);
  try {
    validateSettings(normal, config);
    return normal;
  } catch (error) {
    throw new DaemonError('bad-request', `failed to validate settings: ${messageOf(error)}`, { cause: error });
  }
}

export const secretsOf = ({ settings }: Pick<Group, 'settings'>): readonly string[] =>
  settings.filter(({ type }) => type === 'secret-input').map(({ name }) => name);

/** Only stars, or stars between two bytes on each side: how a secret is shown. */
const masked = /^(?:\*+|.{1,2}\*{3,}.{1,2})$/su;

/** Settings that replace others which cannot be read. @throws DaemonError when a secret is sent back as it was shown */
export function anew(sent: JsonObject, unreadable: DaemonError, group: Group): JsonObject {
  for (const name of secretsOf(group)) {
    const value = sent[name];
    if (typeof value !== 'string' || !masked.test(value)) continue;
    throw new DaemonError('bad-request', `the stored value of ${name} cannot be kept: ${unreadable.message}`, {
      cause: unreadable,
      remedy: `Enter ${name} anew`,
    });
  }
  return sent;
}

export function keepMasked(sent: JsonObject, original: JsonObject, { settings }: Group): JsonObject {
  const masked = maskSettings(original, settings);
  const secrets = new Set(secretsOf({ settings }));
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      name,
      secrets.has(name) && Object.hasOwn(masked, name) && masked[name] === value ? original[name] : value,
    ]),
  );
}
