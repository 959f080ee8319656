import type { ProviderConfig } from './declaration/index.ts';
import { PackageError } from './errors.ts';

const MAX_FIELDS = 64;

/** What a model selector must bring along, per scope of the field (docs/wire/packages.md#checking-settings). */
const SCOPE_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['rerank', ['score_threshold', 'top_n']],
  ['tts', ['voice']],
  ['vision', ['completion_params']],
]);

type Check = (value: unknown, config: ProviderConfig) => string | null;

const isText: Check = (value) => (typeof value === 'string' ? null : 'is not a string');

/** What is wrong with a value, per type of field; types that are not listed take anything. */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['text-input', isText],
  ['secret-input', isText],
  [
    'select',
    (value, config) => {
      const known = config.options?.some((option) => option.value === value) ?? false;
      return isText(value, config) ?? (known ? null : 'is not a valid option');
    },
  ],
  ['boolean', (value) => (typeof value === 'boolean' ? null : 'is not a boolean')],
  ['app-selector', (value) => missingKey(value, ['app_id'])],
  [
    'model-selector',
    (value, config) => {
      const parts = (config.scope ?? '').split('&').map((part) => part.trim());
      const extra = parts.flatMap((part) => SCOPE_KEYS.get(part) ?? []);
      return missingKey(value, ['provider', 'model', 'model_type', ...extra]);
    },
  ],
]);

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [0, false],
  [1, true],
  ['0', false],
  ['1', true],
  ['false', false],
  ['true', true],
]);

/** Settings with booleans as booleans: forms of Dify send them as 0 and 1. Everything else stays as it is. */
export function normalizeSettings(
  settings: Readonly<Record<string, unknown>>,
  config: readonly ProviderConfig[],
): Record<string, unknown> {
  const booleans = new Set(config.filter((field) => field.type === 'boolean').map((field) => field.name));
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const known = typeof value === 'string' ? value.toLowerCase() : value;
      return [name, booleans.has(name) ? (BOOLEANS.get(known) ?? value) : value];
    }),
  );
}

/**
 * Checks settings as Dify sends them against the fields a plugin declares. Unknown keys pass, defaults are not filled in.
 * @throws PackageError e.g. `missing required setting: token`, `setting mode is not a valid option`
 */
export function validateSettings(settings: Readonly<Record<string, unknown>>, config: readonly ProviderConfig[]): void {
  if (Object.keys(settings).length > MAX_FIELDS) throw new PackageError('too many setting fields');
  for (const field of new Map(config.map((one) => [one.name, one])).values()) {
    const value = Object.hasOwn(settings, field.name) ? settings[field.name] : null;
    if (value === null || value === undefined) {
      if (field.required) throw new PackageError(`missing required setting: ${field.name}`);
      continue;
    }
    const problem = CHECKS.get(field.type)?.(value, field) ?? null;
    if (problem !== null) throw new PackageError(`setting ${field.name} ${problem}`);
  }
}

function missingKey(value: unknown, keys: readonly string[]): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a map';
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  return missing === undefined ? null : `is missing ${missing}`;
}

/** Settings for display: texts of secret fields masked, everything else as it is. */
export function maskSettings(
  settings: Readonly<Record<string, unknown>>,
  config: readonly ProviderConfig[],
): Record<string, unknown> {
  const secrets = new Set(config.filter((field) => field.type === 'secret-input').map((field) => field.name));
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      return [name, secrets.has(name) && typeof value === 'string' ? maskSecret(value) : value];
    }),
  );
}

/** Above six bytes the first and last two are shown, otherwise none; the length in bytes stays. */
export function maskSecret(value: string): string {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length <= 6) return '*'.repeat(bytes.length);
  const stars = Buffer.alloc(bytes.length - 4, '*');
  return Buffer.concat([bytes.subarray(0, 2), stars, bytes.subarray(-2)]).toString('utf8');
}
