import { grantedKind } from '@plugin-daemon/plugin-host/backwards-kinds';
import type { ByteBudget, Room } from '@plugin-daemon/plugin-host/budget';
import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { type DecodedRequest, decodeRequest, formatViolations, validate } from '@plugin-daemon/wire-schema';
import type { Log } from '../telemetry/index.ts';
import { Answers } from './answers.ts';
import type { BackwardsCaller, BackwardsInvocations } from './contract.ts';
import { type DifyClient, DifyError } from './dify/index.ts';
import { type DifyKind, type Kind, kinds, type StorageRequest } from './kinds/index.ts';
import { answerStorageRequest, type PluginStorage } from './storage/index.ts';

export interface BackwardsInvocationsOptions {
  readonly dify: Pick<DifyClient, 'call' | 'stream'>;
  readonly storage: PluginStorage;
  /** What calls back may hold in memory; absent: as much as they want. */
  readonly budgets?: CallBackBudgets;
  readonly log: Pick<Log, 'debug' | 'warn'>;
}

/** What calls back may hold in memory, for each plugin and in all. */
export interface CallBackBudgets {
  /** Requests to Dify and values on their way to the storage. More are refused: the plugin has sent them already. */
  readonly requests: ByteBudget;
  /** Values read from the storage, until the plugin has them. More reads wait. */
  readonly storageReads: ByteBudget;
}

/** Of a stored value: its bytes, its hex digits (two bytes each), and as much again for what waits in the pipe and for garbage. */
const COPIES_OF_READ = 6;
/** A plugin that takes nothing of an answer for so long is not waited for any longer. */
const DEAF_MS = 30_000;

/** What the plugin is told, ready to be sent. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Serves the `invoke` messages of plugins through Dify and plugin storage (docs/wire/runtime-protocol.md#calls-back-into-dify). */
export function createBackwardsInvocations({
  dify,
  storage,
  budgets,
  log,
}: BackwardsInvocationsOptions): BackwardsInvocations {
  const serve = async (caller: BackwardsCaller, type: string, given: Record<string, unknown>, answers: Answers) => {
    const kind = authorize(caller, type);
    const request = decode(kind, given);
    if (kind.target === 'storage') {
      let release = (): void => undefined;
      const call = {
        admit: async (size: number) => {
          if (budgets === undefined) return;
          release = await budgets.storageReads.acquire(COPIES_OF_READ * size, caller.signal, caller.pluginId);
        },
        namespace: { tenantId: caller.tenantId, pluginId: caller.pluginId },
        declaration: caller.declaration,
        // What the kind's record decodes to.
        request: request as StorageRequest,
        onHiddenError: (error: unknown) => {
          // A session that has ended waits for nothing any more.
          if (!caller.signal.aborted) log.warn({ ...idsOf(caller), err: error }, 'plugin storage cannot be read');
        },
      };
      const held = hold(caller, call.request.value.length);
      let deaf: NodeJS.Timeout | undefined;
      try {
        const sent = answers.result('struct', await answerStorageRequest(storage, call));
        // Others do not wait for a plugin that does not read; what is left in its pipe counts there.
        deaf = setTimeout(release, DEAF_MS).unref();
        await sent;
      } finally {
        clearTimeout(deaf);
        held?.release();
        release();
      }
      return;
    }
    const body = JSON.stringify({ tenant_id: caller.tenantId, user_id: caller.userId, type, ...request });
    const held = hold(caller, body.length);
    try {
      await ask(kind, body, caller, answers);
    } catch (error) {
      // A failure with a remedy is one for the operator.
      if (error instanceof DifyError && error.remedy !== undefined) {
        log.warn({ ...idsOf(caller), type, err: error, remedy: error.remedy }, 'Dify cannot serve a plugin');
      }
      throw new Refusal(prefixOf(kind, error) + toDaemonError(error).wireMessage, { cause: error });
    } finally {
      held?.release();
    }
  };

  /** Counts what a plugin sent for as long as we keep it. @throws Refusal when there is no room for it */
  const hold = (caller: BackwardsCaller, bytes: number): Room | undefined => {
    const room = budgets?.requests.room(caller.pluginId);
    const exceeded = room?.grow(bytes);
    if (exceeded === undefined) return room;
    throw new Refusal(`there is no room for this call: ${exceeded.text}; wait for other calls to end`);
  };

  const ask = async (kind: DifyKind, body: string, caller: BackwardsCaller, answers: Answers): Promise<void> => {
    const options = { signal: caller.signal, traceparent: caller.traceparent };
    const adapt = kind.adapt ?? asItIs;
    if (kind.answer === 'json') {
      await answers.result('struct', adapt(await dify.call(kind.path, body, options)));
    } else {
      await dify.stream(kind.path, body, (data) => answers.result('stream', adapt(data)), options);
    }
  };

  return {
    async handle(caller, type, request, reply) {
      const answers = new Answers(reply);
      try {
        await serve(caller, type, request, answers).catch((error: unknown) => {
          const text = toDaemonError(error).wireMessage;
          log.debug({ ...idsOf(caller), type, err: error }, 'backwards invocation failed');
          return answers.error(text);
        });
        await answers.end();
      } catch (error) {
        // The plugin is gone: there is nobody to tell.
        log.debug({ ...idsOf(caller), type, err: error }, 'answer of a backwards invocation not delivered');
      }
    },
  };
}

/** The kind, if this session may use it. */
function authorize({ accessType, declaration }: BackwardsCaller, type: string): Kind {
  const asked = grantedKind(type, { accessType, permission: declaration.resource.permission });
  if ('refusal' in asked) throw new Refusal(asked.refusal);
  const kind = kinds.get(asked.kind);
  if (kind === undefined) throw new Error(`the kind ${asked.kind} has no row that says how it is served`);
  return kind;
}

/**
 * The declared fields of the request, checked. Tenant, user and type are not among them: they come from the session
 * (docs/wire/runtime-protocol.md#calls-back-into-dify).
 */
function decode(kind: Kind, given: Record<string, unknown>): Record<string, unknown> {
  const decoded: DecodedRequest<Record<string, unknown>> = decodeRequest(kind.request, given);
  if (!decoded.ok) {
    throw new Refusal(`unmarshal backwards invoke request failed: error decoding map: ${decoded.message}`);
  }
  const violations = validate(kind.request, decoded.value);
  if (violations.length > 0) {
    throw new Refusal(
      `unmarshal backwards invoke request failed: error validating struct: ${formatViolations(violations)}`,
    );
  }
  return decoded.value;
}

const prefixOf = (kind: DifyKind, error: unknown): string =>
  error instanceof DifyError && error.stage === 'call' ? kind.failure : (kind.readFailure ?? kind.failure);

const asItIs = (data: string): string => data;

const idsOf = ({ sessionId, tenantId, identifier }: BackwardsCaller) => ({
  // The whole id would let a reader of the log call back in the session's name (docs/wire/runtime-protocol.md#calls-back-into-dify).
  session: sessionId.slice(0, 8),
  tenant_id: tenantId,
  plugin: identifier,
});
