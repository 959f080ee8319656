/**
 * The `storage` kind of backwards invocation: four operations, their answers and error texts
 * (docs/wire/runtime-protocol.md#storage-of-plugins).
 */

import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { AnswerData } from '../contract.ts';
import type { StorageRequest } from '../kinds/index.ts';
import { decodeHex, hexPieces } from './hex.ts';
import type { PluginStorage } from './plugin-storage.ts';
import type { StorageNamespace } from './storage-key.ts';

export interface StorageCall {
  readonly namespace: StorageNamespace;
  readonly declaration: PluginDeclaration;
  readonly request: StorageRequest;
  /** Waits until there is memory for what is read, of so many bytes; it is held until the plugin has the answer. */
  readonly admit?: (size: number) => Promise<void>;
  /** Told why a read failed, since the plugin gets the same text for every reason. */
  readonly onHiddenError: (error: unknown) => void;
}

/** The JSON text of the answer's `data`. Throws with the text for the plugin. */
export function answerStorageRequest(storage: PluginStorage, call: StorageCall): Promise<AnswerData> {
  const answer = answers[call.request.opt];
  if (answer === undefined) return Promise.reject(new Error(`unsupported storage operation: ${call.request.opt}`));
  return answer(storage, call);
}

type Answer = (storage: PluginStorage, call: StorageCall) => Promise<AnswerData>;

const answers: Readonly<Record<string, Answer | undefined>> = {
  get: async (storage, { namespace, request, admit, onHiddenError }) => {
    const bytes = await storage.get(namespace, request.key, admit).catch((error: unknown) => {
      onHiddenError(error);
      return undefined;
    });
    if (bytes === undefined) {
      throw new Error('load data failed, please check if the key is correct or you have not set it');
    }
    const digits = await hexPieces(bytes);
    return typeof digits === 'string' ? `{"data":"${digits}"}` : ['{"data":"', ...digits, '"}'];
  },

  set: async (storage, { namespace, declaration, request }) => {
    const bytes = explain('decode data failed', () => decodeHex(request.value));
    const permission = declaration.resource.permission;
    if (!permission) throw new Error('resource not found');
    await explainLater('save data failed', storage.set(namespace, request.key, bytes, permission.storage?.size));
    return '{"data":"ok"}';
  },

  // Deleting what is not there succeeds, unlike upstream, whose count also was of cached copies (docs/wire/state.md#storage-of-plugins).
  del: async (storage, { namespace, request }) => {
    const deleted = await explainLater('delete data failed', storage.delete(namespace, request.key));
    return `{"data":"ok","deleted_num":${deleted ? 1 : 0}}`;
  },

  exist: async (storage, { namespace, request }) => {
    const exists = await explainLater('exist data failed', storage.exists(namespace, request.key));
    return exists ? '{"data":true,"exist_num":1}' : '{"data":false,"exist_num":0}';
  },
};

function explain<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${what}: ${toDaemonError(error).wireMessage}`, { cause: error });
  }
}

async function explainLater<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${what}: ${toDaemonError(error).wireMessage}`, { cause: error });
  }
}
