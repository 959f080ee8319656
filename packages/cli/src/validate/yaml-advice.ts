/** What is said of values in YAML that cannot be decoded: in the words of YAML, with a way out. */
import type { Problem } from '@plugin-daemon/plugin-package';

type Described = Pick<Problem, 'message' | 'detail'>;

export function adviceOn(problem: Described): {
  readonly rule: string;
  readonly message: string;
  readonly remedy: string;
} {
  return { message: friendly(problem), ...(ADVICE[problem.detail?.tag ?? ''] ?? ofTypes) };
}

interface Advice {
  readonly rule: string;
  readonly remedy: string;
}

const ofTypes: Advice = { rule: 'yaml/type', remedy: 'write a value of the expected type' };

/** What is said of values that cannot be decoded, where it is not about their type. */
const ADVICE: Readonly<Record<string, Advice>> = {
  'duplicate-key': { rule: 'yaml/duplicate-key', remedy: 'remove one of the two' },
  'unknown-template': {
    rule: 'models/unknown-template',
    remedy:
      'use one of temperature, top_p, top_k, presence_penalty, frequency_penalty, max_tokens, response_format, json_schema, or describe the parameter without use_template',
  },
};

/** Go's type names mean nothing to authors. */
function friendly({ message, detail }: Described): string {
  if (detail?.tag !== 'type') return message;
  const { found, value, wanted } = detail;
  const what = value === undefined ? `a ${NAMES[found] ?? found}` : `"${value}"`;
  return `${what} stands where ${EXPECTED[wanted] ?? 'a list'} is expected`;
}

const NAMES: Readonly<Record<string, string>> = { seq: 'list', map: 'mapping' };

/** The kinds of the tables in the words of YAML; all others are lists. */
const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  int: 'a whole number',
  int64: 'a whole number',
  uint64: 'a whole number',
  number: 'a number',
  decimal: 'a decimal',
  timestamp: 'a time',
  object: 'a mapping',
  record: 'a mapping',
  tagged: 'a mapping',
};
