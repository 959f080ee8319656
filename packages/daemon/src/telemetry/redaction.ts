/** Names of fields whose values are secrets. A plain `key` is none: storage keys are called so. */
const secretName =
  /(^|[_-])((api|server|private|access|secret|inner|admin|debugging)[_-]?key|secret|password|passwd|token|authorization|cookie|credentials?)$/i;
const hidden = '[redacted]';
const deepest = 6;

/**
 * The fields of one log call as the object that is written: errors as text, secrets replaced, everything below
 * `attributes`; the stack of an error beside it.
 */
export function attributesOf(fields: Record<string, unknown>): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  let stack: string | undefined;
  let any = false;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    any = true;
    if (value instanceof Error) {
      // pino names an error that is given alone `err`; the log calls it `error` everywhere.
      attributes[key === 'err' ? 'error' : key] = withCauses(value);
      stack ??= value.stack;
    } else {
      attributes[key] = cleanField(key, value, 0);
    }
  }
  if (!any) return {};
  return stack === undefined ? { attributes } : { attributes, stack_trace: stack };
}

function cleanField(key: string, value: unknown, depth: number): unknown {
  if (typeof value === 'object' && value !== null) return secretName.test(key) ? hidden : cleanObject(value, depth);
  if (typeof value === 'string' && secretName.test(key)) return hidden;
  return value;
}

function cleanObject(value: object, depth: number): unknown {
  if (depth >= deepest) return '[…]';
  if (value instanceof Error) return withCauses(value);
  if (Array.isArray(value)) return value.map((item: unknown) => cleanField('', item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cleanField(name, item, depth + 1)]));
}

function withCauses(error: Error): string {
  const texts: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < deepest; depth++) {
    texts.push(at instanceof Error ? at.message || at.name : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(': ');
}

/** Replaces given values wherever they stand in a line of JSON. */
export class SecretFilter {
  readonly #secrets: readonly string[];

  /** Values shorter than 8 characters are ignored: they would tear holes into ordinary text. */
  constructor(secrets: readonly (string | undefined)[]) {
    this.#secrets = secrets
      .filter((secret) => secret !== undefined && secret.length >= 8)
      .map((secret) => JSON.stringify(secret).slice(1, -1));
  }

  clean(line: string): string {
    let cleaned = line;
    for (const secret of this.#secrets) {
      if (cleaned.includes(secret)) cleaned = cleaned.replaceAll(secret, hidden);
    }
    return cleaned;
  }
}
