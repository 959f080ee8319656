import type { Line } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type {
  BackwardsCaller,
  BackwardsEvent,
  BackwardsInvocations,
  BackwardsReply,
} from '../backwards-invocation/index.ts';
import type { Invoke } from './invoke-message.ts';
import { lineHead, type SessionEnvelope } from './request-message.ts';

/** Calls back of one session that are open at once: more than a plugin has threads, and few enough for Dify and us. */
const MAX_OPEN = 256;
const TOO_MANY = `invoke dify failed: this session has ${MAX_OPEN} calls open, which is the limit; wait for one of them to end`;

export interface CallsBackParts {
  readonly backwards: BackwardsInvocations;
  /** A call broke in a way that is nobody's request. */
  readonly onFault: (error: unknown) => void;
}

/** The calls of one session's plugin back into Dify: how many are open, and the lines that answer them. Owned by the session. */
export class CallsBack {
  readonly #head: string;
  readonly #parts: CallsBackParts;
  #open = 0;

  constructor(sessionId: string, envelope: SessionEnvelope, parts: CallsBackParts) {
    this.#head = `${lineHead(sessionId, envelope)}"event":"backwards_response","data":{"backwards_request_id":`;
    this.#parts = parts;
  }

  /** Settles when the last answer was sent; what goes wrong is one of them. */
  async serve(caller: BackwardsCaller, { type, request }: Invoke, reply: BackwardsReply): Promise<void> {
    if (this.#open >= MAX_OPEN) {
      void reply({ event: 'error', message: TOO_MANY });
      await reply({ event: 'end' });
      return;
    }
    this.#open++;
    try {
      await this.#parts.backwards.handle(caller, type, request, reply);
    } catch (error) {
      this.#parts.onFault(error);
      void reply({ event: 'error', message: `invoke dify failed: ${messageOf(error)}` });
      await reply({ event: 'end' });
    } finally {
      this.#open--;
    }
  }

  /** The line that tells the plugin of an event of the call with this id. */
  line(id: string, event: BackwardsEvent): Line {
    const message = event.event === 'response' || event.event === 'error' ? event.message : '';
    const data = event.event === 'response' ? event.data : 'null';
    const head = `${this.#head}${JSON.stringify(id)},"event":"${event.event}","message":${JSON.stringify(message)},"data":`;
    return typeof data === 'string' ? `${head}${data}}}` : [head, ...data, '}}'];
  }
}
