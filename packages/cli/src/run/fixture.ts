/** Recorded calls: one JSON file with the request, the answers, and what was asked of Dify, to repeat anywhere. */

import { isObject, messageOf } from '@plugin-daemon/values';
import { CliError, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { readNamedFile } from '../files/read.ts';
import type { BackwardsRecord, CallResult } from './one-call.ts';
import type { PluginFailure } from './plugin-host.ts';

export interface Fixture {
  format: 1;
  plugin: string;
  type: string;
  action: string;
  request: Record<string, unknown>;
  /** Items of the stream in order. */
  answers: unknown[];
  error?: { error_type: string; message: string };
  backwards: BackwardsRecord[];
  /** Paths of values that change from run to run and are not compared, such as `usage.latency`. */
  ignore: string[];
}

const ALWAYS_IGNORED = ['latency', 'created_at', 'id', 'timestamp', 'expires_at'];

export function makeFixture(
  plugin: string,
  type: string,
  action: string,
  request: Record<string, unknown>,
  result: CallResult,
): Fixture {
  const { failure } = result;
  const masked = {
    ...request,
    ...(isObject(request.credentials) ? { credentials: mask(request.credentials) } : {}),
    ...(isObject(request.settings) ? { settings: mask(request.settings) } : {}),
  };
  return {
    format: 1,
    plugin,
    type,
    action,
    request: masked,
    answers: result.items,
    ...(failure === undefined ? {} : { error: { error_type: failure.errorType, message: failure.message } }),
    backwards: result.backwards,
    ignore: [],
  };
}

/** Secrets never go into a file that is made to be shared. */
function mask(credentials: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(credentials).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > 0 ? `<${name}>` : value,
    ]),
  );
}

export async function writeFixture(path: string, fixture: Fixture): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(fixture, null, 2)}\n`);
}

export async function readFixture(path: string): Promise<Fixture> {
  let value: unknown;
  try {
    value = JSON.parse((await readNamedFile(path)).toString('utf8'));
  } catch (error) {
    if (error instanceof CliError) throw error;
    const what = systemCode(error) === 'ENOENT' ? 'no such file' : messageOf(error);
    throw new CliError('invalid-fixture', `${path}: ${what}`, { file: path, cause: error });
  }
  if (
    !isObject(value) ||
    value.format !== 1 ||
    typeof value.action !== 'string' ||
    typeof value.type !== 'string' ||
    !Array.isArray(value.answers)
  ) {
    throw new CliError('invalid-fixture', `${path} is not a recorded call`, {
      file: path,
      remedy: 'make one with dify plugin invoke … --record <file>',
    });
  }
  return {
    format: 1,
    plugin: typeof value.plugin === 'string' ? value.plugin : '',
    type: value.type,
    action: value.action,
    request: isObject(value.request) ? value.request : {},
    answers: value.answers,
    ...(isObject(value.error)
      ? { error: { error_type: String(value.error.error_type), message: String(value.error.message) } }
      : {}),
    backwards: Array.isArray(value.backwards) ? (value.backwards as BackwardsRecord[]) : [],
    ignore: Array.isArray(value.ignore) ? value.ignore.map(String) : [],
  };
}

/** The answers to calls back of a fixture, as a script for the mock. */
export function scriptOf(fixture: Fixture): Record<string, unknown> {
  const script: Record<string, unknown> = {};
  for (const call of fixture.backwards) {
    if (call.type in script || call.type === 'storage') continue;
    script[call.type] =
      call.error === undefined
        ? call.answers.length === 1
          ? call.answers[0]
          : [...call.answers]
        : { error: call.error };
  }
  return script;
}

/** Differences between two answers, as `path: expected …, got …`. */
export function compare(expected: unknown, got: unknown, ignore: readonly string[], path = ''): string[] {
  const key =
    path
      .replace(/\[\d+\]/g, '')
      .split('.')
      .at(-1) ?? '';
  if (ignore.includes(path) || ignore.includes(key) || ALWAYS_IGNORED.includes(key)) return [];
  if (Array.isArray(expected) && Array.isArray(got)) {
    if (expected.length !== got.length)
      return [`${path || 'answers'}: expected ${expected.length} items, got ${got.length}`];
    return expected.flatMap((item, index) => compare(item, got[index], ignore, `${path}[${index}]`));
  }
  if (isObject(expected) && isObject(got)) {
    return [...new Set([...Object.keys(expected), ...Object.keys(got)])].flatMap((name) =>
      compare(expected[name], got[name], ignore, path === '' ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(expected) === JSON.stringify(got)
    ? []
    : [`${path || 'answer'}: expected ${short(expected)}, got ${short(got)}`];
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** What differs between a recorded call and its repetition. */
export function differences(fixture: Fixture, result: CallResult): string[] {
  const failure: PluginFailure | undefined = result.failure;
  const error = failure === undefined ? undefined : { error_type: failure.errorType, message: failure.message };
  return [
    ...compare(fixture.answers, result.items, fixture.ignore),
    ...compare(fixture.error, error, fixture.ignore, 'error'),
  ];
}
