import type { RemoteFailure } from './object-client.ts';

/** Codes of sockets and resolvers, and names of errors, that say that there was no answer. */
const silent =
  /^(E(CONN|HOST|NET)[A-Z]+|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|UND_ERR_[A-Z_]+|(Request)?TimeoutError|AbortError|NetworkingError|TimeoutError|ERR_STREAM_PREMATURE_CLOSE|RequestError|REQUEST_SEND_ERROR)$/;

/**
 * What status, codes and names say of the cause.
 * @param words codes and names that the store gave, the most telling one first
 * @param bucketCodes those by which this store says that there is no such bucket
 */
export function failureOf(
  error: unknown,
  status: number | undefined,
  words: readonly (string | undefined)[],
  bucketCodes: ReadonlySet<string>,
): RemoteFailure {
  const said = words.filter((word) => word !== undefined && word !== '');
  const message = messageOf(error);
  const text = said[0] === undefined || message.includes(said[0]) ? message : `${said[0]}: ${message}`;
  if (said.some((word) => bucketCodes.has(word ?? ''))) return { cause: 'no-bucket', text };
  if (status === 401 || status === 403) return { cause: 'refused', text };
  if (status === 408 || status === 429 || (status !== undefined && status >= 500))
    return { cause: 'unreachable', text };
  if (status === undefined && said.some((word) => silent.test(word ?? ''))) return { cause: 'unreachable', text };
  return { cause: 'other', text };
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message === '' || error.message === 'UnknownError' ? error.name : error.message;
}

/** A property of an error that is text. */
export const textIn = (value: unknown, name: string): string | undefined => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === 'string' ? found : undefined;
};

/** A property of an error that is a number. */
export const numberIn = (value: unknown, name: string): number | undefined => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === 'number' ? found : undefined;
};
