/**
 * Calls of functions back into the daemon: `POST /backwards-invocation/transaction` (docs/wire/runtime-protocol.md#transactions). Anybody may
 * come here, so a call counts as a stranger's until it has named an open session and shown that it belongs to it; owns that decision and
 * the answer's form. What is asked for is served by the session. There with the serverless platform alone.
 */
import { type AnyRoute, route } from '../route.ts';
import { Transactions, type TransactionsDependencies } from './transactions.ts';

export type { TransactionOutcome, TransactionsDependencies } from './transactions.ts';

export const TRANSACTION_PATH = '/backwards-invocation/transaction';

export function transactionRoutes(dependencies: TransactionsDependencies): readonly AnyRoute[] {
  const transactions = new Transactions(dependencies);
  return [
    route({
      method: 'POST',
      group: 'public',
      path: TRANSACTION_PATH,
      operationId: 'callBack',
      tag: 'Functions',
      summary: 'A call of a plugin that runs as a function back into Dify or its storage',
      description:
        'The body is one line as plugins write it, an `invoke` message of an open session; the answer has lines as plugins read them, each followed by an empty one.',
      headers: { 'Dify-Plugin-Session-ID': 'The session; the same as in the body.' },
      produces: '*/*',
      errorStatus: 'kind',
      whileStopping: true,
      handleRaw: ({ request, signal }, reply) => transactions.answer(request, reply.raw, signal),
    }),
  ];
}
