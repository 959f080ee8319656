/**
 * Stands in for Dify when a plugin calls back: permissions of the manifest are checked, answers are fixed, or scripted
 * by the user, and storage is kept in memory or in a folder (docs/wire/cli.md#mocked-dify,
 * docs/wire/runtime-protocol.md#calls-back-into-dify).
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { backwardsKindRow, grantedKind } from '@plugin-daemon/plugin-host/backwards-kinds';
import type { Permission } from '@plugin-daemon/plugin-package';
import { isObject, messageOf } from '@plugin-daemon/values';
import { writeFileAtomic } from '../files/atomic.ts';
import { mockAnswers, type Request } from './mock-answers.ts';
import type { BackwardsAnswer } from './plugin-host.ts';

/** Answers the user wrote, by kind: one result, or a list of stream items; `{ "error": "…" }` fails the call. */
export type Script = Readonly<Record<string, unknown>>;

export interface MockOptions {
  permission: Permission | undefined;
  /** Access type of the call; models may not call back. */
  accessType: string;
  script?: Script;
  storage: MockStorage;
  /** Every finished call back, for recording and for showing. */
  onCall?: (kind: string, request: Request, answers: readonly unknown[], error: string | undefined) => void;
}

/** Values by key, in memory or as files below a folder. */
export class MockStorage {
  readonly #values = new Map<string, string>();
  readonly #directory: string | undefined;

  constructor(directory?: string) {
    this.#directory = directory;
  }

  #file(key: string): string | undefined {
    return this.#directory === undefined ? undefined : join(this.#directory, encodeURIComponent(key));
  }

  async get(key: string): Promise<string | undefined> {
    const file = this.#file(key);
    if (file === undefined) return this.#values.get(key);
    return readFile(file, 'hex').catch(() => undefined);
  }

  async set(key: string, hex: string): Promise<void> {
    const file = this.#file(key);
    if (file === undefined) {
      this.#values.set(key, hex);
      return;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, Buffer.from(hex, 'hex'));
  }

  async delete(key: string): Promise<boolean> {
    const file = this.#file(key);
    if (file === undefined) return this.#values.delete(key);
    const there = await stat(file).then(
      () => true,
      () => false,
    );
    await rm(file, { force: true });
    return there;
  }
}

function storageKey(key: unknown): string {
  if (typeof key !== 'string' || key === '') throw new Error('key is required');
  const clean = posix.normalize(key).replace(/^\/+/, '');
  if (clean.includes('..') || clean.includes('\\')) throw new Error('invalid key: path traversal attempt detected');
  return clean;
}

async function answerStorage(storage: MockStorage, request: Request): Promise<unknown> {
  const key = storageKey(request.key);
  switch (request.opt) {
    case 'get': {
      const data = await storage.get(key);
      if (data === undefined)
        throw new Error('load data failed, please check if the key is correct or you have not set it');
      return { data };
    }
    case 'set': {
      if (typeof request.value !== 'string' || !/^(?:[0-9a-f]{2})*$/i.test(request.value))
        throw new Error('decode data failed: expected hex');
      await storage.set(key, request.value.toLowerCase());
      return { data: 'ok' };
    }
    case 'del':
      return { data: 'ok', deleted_num: (await storage.delete(key)) ? 1 : 0 };
    case 'exist': {
      const there = (await storage.get(key)) !== undefined;
      return { data: there, exist_num: there ? 1 : 0 };
    }
    default:
      throw new Error(`unknown storage operation ${String(request.opt)}`);
  }
}

const formOf = (kind: string): 'stream' | 'struct' =>
  backwardsKindRow(kind)?.answer === 'frames' ? 'stream' : 'struct';

function scripted(
  script: Script | undefined,
  kind: string,
): { form: 'stream' | 'struct'; items: unknown[] } | { error: string } | undefined {
  const entry = script?.[kind];
  if (entry === undefined) return undefined;
  if (isObject(entry) && typeof entry.error === 'string' && Object.keys(entry).length === 1)
    return { error: entry.error };
  const form = formOf(kind);
  return { form, items: Array.isArray(entry) ? entry : [entry] };
}

/** Answers one call back. Always ends with an `end` message. */
export async function answerBackwards(
  data: unknown,
  options: MockOptions,
  respond: (answer: BackwardsAnswer) => void,
): Promise<void> {
  const call = isObject(data) ? data : {};
  const id = typeof call.backwards_request_id === 'string' ? call.backwards_request_id : '';
  const kind = typeof call.type === 'string' ? call.type : '';
  const request: Request = isObject(call.request) ? call.request : {};
  const answers: unknown[] = [];
  let failure: string | undefined;
  const send = (form: 'stream' | 'struct', item: unknown): void => {
    answers.push(item);
    respond({ backwards_request_id: id, event: 'response', message: form, data: item });
  };
  try {
    const asked = grantedKind(kind, options);
    if ('refusal' in asked) throw new Error(asked.refusal);
    const script = scripted(options.script, kind);
    if (script !== undefined) {
      if ('error' in script) throw new Error(script.error);
      for (const item of script.items) send(script.form, item);
    } else if (asked.kind === 'storage') send('struct', await answerStorage(options.storage, request));
    else for await (const item of mockAnswers[asked.kind](request)) send(formOf(kind), item);
  } catch (error) {
    failure = messageOf(error);
    respond({ backwards_request_id: id, event: 'error', message: failure, data: null });
  }
  respond({ backwards_request_id: id, event: 'end', message: '', data: null });
  options.onCall?.(kind, request, answers, failure);
}
