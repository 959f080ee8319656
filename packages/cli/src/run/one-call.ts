/** One call on a running plugin, collected: what it streamed, what it asked of Dify, how it ended. */
import { CliError } from '../errors.ts';
import { answerBackwards, type MockOptions } from './mock-dify.ts';
import type { CallRequest, PluginFailure, PluginHost } from './plugin-host.ts';

export interface BackwardsRecord {
  type: string;
  request: unknown;
  answers: readonly unknown[];
  error?: string;
}

export interface CallResult {
  items: unknown[];
  backwards: BackwardsRecord[];
  failure?: PluginFailure;
}

export interface CallOptions {
  mock: MockOptions;
  /** Seconds. */
  timeout: number;
  signal: AbortSignal;
  onItem?: (item: unknown) => Promise<void>;
}

/** @throws CliError `timeout`; the failure of the plugin itself is part of the result */
export async function callOnce(host: PluginHost, request: CallRequest, options: CallOptions): Promise<CallResult> {
  const result: CallResult = { items: [], backwards: [] };
  let shown: Promise<void> = Promise.resolve();
  const mock: MockOptions = {
    ...options.mock,
    onCall: (type, asked, answers, error) => {
      result.backwards.push({ type, request: asked, answers, ...(error === undefined ? {} : { error }) });
      options.mock.onCall?.(type, asked, answers, error);
    },
  };
  await new Promise<void>((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const call = host.call(request, {
      chunk(json) {
        const item: unknown = JSON.parse(json);
        result.items.push(item);
        if (options.onItem !== undefined) shown = shown.then(() => options.onItem?.(item));
      },
      invoke: (data, respond) => void answerBackwards(data, mock, respond),
      end: finish,
      fail(failure) {
        result.failure = failure;
        finish();
      },
    });
    const onAbort = (): void => {
      call.cancel();
      reject(new DOMException('interrupted', 'AbortError'));
    };
    const timer = setTimeout(() => {
      call.cancel();
      reject(
        new CliError('timeout', `the plugin did not finish within ${options.timeout} seconds`, {
          remedy: 'raise --timeout',
        }),
      );
    }, options.timeout * 1000);
    options.signal.addEventListener('abort', onAbort, { once: true });
  });
  await shown;
  return result;
}

export function failureError(failure: PluginFailure): CliError {
  const traceback = failure.args?.traceback;
  return new CliError(
    'plugin-error',
    `${failure.errorType}: ${failure.message}${typeof traceback === 'string' ? `\n${traceback.trimEnd()}` : ''}`,
    { fields: { error_type: failure.errorType } },
  );
}
