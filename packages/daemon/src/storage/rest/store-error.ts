import { documentOf, textOf } from './document.ts';

/** An answer that is not what was asked for. */
export class StoreError extends Error {
  readonly status: number;
  /** The store's own word, where the answer came from a store. */
  readonly code: string | undefined;
  /** It is a store that answers, and not what stands before it: it gives a code, or, where there is no body, the request a number. */
  readonly fromStore: boolean;

  constructor(status: number, text: string, headers: Readonly<Record<string, unknown>> = {}) {
    const said = documentOf(text);
    const code = textOf(said, 'Code', 'code');
    const message = textOf(said, 'Message', 'message');
    super(
      code === undefined ? `HTTP status ${status}` : `${code} (HTTP status ${status}): ${message ?? 'no reason given'}`,
    );
    this.status = status;
    this.code = code;
    this.fromStore = code !== undefined || Object.keys(headers).some((name) => /^x-[a-z]+-request-id$/.test(name));
  }
}
