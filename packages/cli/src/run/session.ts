/** One client of `plugin run`: reads requests, runs them side by side, writes their answers. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { accessTypes, actionRow } from '@plugin-daemon/plugin-host/actions';
import { sessionErrorJson } from '@plugin-daemon/plugin-host/errors';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { isObject, messageOf } from '@plugin-daemon/values';
import { answerBackwards, type MockStorage, type Script } from './mock-dify.ts';
import type { CallRequest, CallSink, RunningCall } from './plugin-host.ts';
import { type LineWriter, linesOf, MAX_LINE } from './protocol.ts';

export interface ServeOptions {
  declaration: PluginDeclaration;
  /** Whatever runs calls: a supervised plugin, or the one under development. */
  supervisor: { call(request: CallRequest, sink: CallSink): RunningCall };
  storage: MockStorage;
  script: Script | undefined;
}

interface Request {
  invokeId: string;
  type: string;
  action: string;
  request: Record<string, unknown>;
}

function readRequest(line: string): Request | { invokeId: string; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { invokeId: '', problem: messageOf(error) };
  }
  if (!isObject(value)) return { invokeId: '', problem: 'a request must be a JSON object' };
  const invokeId = typeof value.invoke_id === 'string' ? value.invoke_id : '';
  const { type, action, request } = value;
  if (typeof type !== 'string' || type === '' || typeof action !== 'string' || action === '')
    return { invokeId, problem: 'action and type are required' };
  const row = actionRow(action);
  if (row === undefined) return { invokeId, problem: `unknown action ${action}` };
  if (!accessTypes.some((each) => each === type))
    return { invokeId, problem: `unknown type ${type}: expected one of ${accessTypes.join(', ')}` };
  if (row.type !== type) return { invokeId, problem: `action ${action} belongs to type ${row.type}, not ${type}` };
  if (request !== undefined && request !== null && !isObject(request))
    return { invokeId, problem: 'request must be an object' };
  return { invokeId, type, action, request: isObject(request) ? request : {} };
}

/** Where requests come from. */
export interface ClientInput {
  /** Lines as `linesOf` gives them. */
  lines: AsyncIterable<string | undefined>;
  /** Ends the reading. */
  stop(): void;
}

export function streamInput(stream: Readable): ClientInput {
  return { lines: linesOf(stream), stop: () => void stream.destroy() };
}

/** Serves one client until its input ends and its last call is done, or the signal fires. */
export async function serveClient(
  input: ClientInput,
  writer: LineWriter,
  options: ServeOptions,
  signal: AbortSignal,
): Promise<void> {
  const userId = randomUUID();
  const running = new Set<RunningCall>();
  const pending = new Set<Promise<void>>();
  const stop = (): void => {
    for (const call of running) call.cancel();
    input.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  await writer.send('', 'plugin_ready', { info: 'plugin loaded' });

  const invoke = (request: Request): Promise<void> =>
    new Promise((resolve) => {
      const finish = async (): Promise<void> => {
        await writer.send(request.invokeId, 'plugin_invoke_end', { info: 'plugin invoke end' });
        resolve();
      };
      const { permission } = options.declaration.resource;
      const mock = {
        permission,
        accessType: request.type,
        storage: options.storage,
        ...(options.script === undefined ? {} : { script: options.script }),
      };
      const call = options.supervisor.call(
        { type: request.type, action: request.action, request: request.request, userId },
        {
          chunk(json) {
            if (json.startsWith('{')) void writer.raw(request.invokeId, 'plugin_response', json);
            else
              void writer.send(request.invokeId, 'error', {
                error: sessionErrorJson({
                  errorType: 'unmarshal_error',
                  message: 'unmarshal json failed: the plugin sent no object',
                }),
              });
          },
          invoke: (data, respond) => void answerBackwards(data, mock, respond),
          end() {
            running.delete(call);
            void finish();
          },
          fail(failure) {
            running.delete(call);
            void writer.send(request.invokeId, 'error', { error: sessionErrorJson(failure) });
            void finish();
          },
        },
      );
      running.add(call);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  try {
    for await (const line of input.lines) {
      if (line === '') continue;
      await writer.send('', 'info', { info: 'received request' });
      if (line === undefined) {
        await writer.send('', 'error', {
          error: `the request is longer than ${MAX_LINE} bytes, the limit for one line`,
        });
        continue;
      }
      const request = readRequest(line);
      if ('problem' in request) {
        // Without an id an error means the end of everything to the SDK's runner.
        await writer.send(request.invokeId, 'error', { error: request.problem });
        continue;
      }
      const work = invoke(request);
      pending.add(work);
      void work.then(() => pending.delete(work));
    }
  } catch (error) {
    // Reading ends with an error when it is stopped, or when the other side is gone.
    if (!signal.aborted && !isGone(error)) throw error;
  }
  await Promise.all(pending);
  await writer.flushed();
  signal.removeEventListener('abort', stop);
}

function isGone(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String(error.code))
  );
}
