import type { JsonSchema } from '@plugin-daemon/wire-schema';

/**
 * Collects the schemas that have a title: each stands once in the document, under its title, and is referred to from everywhere
 * else.
 */
export class Components {
  readonly #schemas = new Map<string, JsonSchema>();

  /** The schema with its titled parts replaced by references. @throws Error when two different schemas have one title */
  refer(schema: JsonSchema): JsonSchema {
    const { title, ...rest } = schema;
    if (typeof title !== 'string') return this.#inside(schema);
    const inner = this.#inside(rest);
    const known = this.#schemas.get(title);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(inner))
      throw new Error(`two different schemas are called ${title}`);
    this.#schemas.set(title, inner);
    return { $ref: `#/components/schemas/${title}` };
  }

  /** All of them, by name. */
  get schemas(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #inside(schema: JsonSchema): JsonSchema {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#value(value)]));
  }

  #value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    return typeof value === 'object' && value !== null ? this.refer({ ...value }) : value;
  }
}
