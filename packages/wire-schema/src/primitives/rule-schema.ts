import type { Rule } from './rules.ts';

/** What of a value a bound is about. */
export type Measured = 'text' | 'list' | 'members' | 'number';

const keywords = {
  text: ['minLength', 'maxLength'],
  list: ['minItems', 'maxItems'],
  members: ['minProperties', 'maxProperties'],
  number: ['minimum', 'maximum'],
} as const;

/** What a rule adds to the JSON Schema of a value. */
export const ruleSchema = ({ bound, values, pattern, schema }: Rule, measured: Measured): Record<string, unknown> => ({
  ...(values !== undefined && schema?.['const'] === undefined && { enum: values }),
  ...(pattern !== undefined && { pattern: pattern.source }),
  ...(bound !== undefined && boundSchema(bound, measured)),
  ...schema,
});

function boundSchema({ is, limit }: NonNullable<Rule['bound']>, measured: Measured): Record<string, unknown> {
  const [least, most] = keywords[measured];
  if (is === 'min') return { [least]: limit };
  if (is === 'max') return { [most]: limit };
  return measured === 'number' ? { exclusiveMaximum: limit } : { [most]: limit - 1 };
}
