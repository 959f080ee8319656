/** Headers of calls and of what functions send back, as daemons name them. */
export const SESSION_ID = 'dify-plugin-session-id';
export const SESSION_SECRET = 'dify-plugin-session-secret';

interface Kept {
  readonly secret: string;
  /** Of the function that was called. */
  readonly identifier: string;
  calls: number;
}

/** An id of a session and its secret are short; longer ones are none. */
const MAX_CHARACTERS = 512;

/**
 * The secrets of sessions whose calls are open here. Daemons send one with each call; the SDK cannot send it back, so functions are not
 * given it, and it is added to what they send back in the name of a session that they were called for, and of no other.
 */
export class SessionSecrets {
  readonly #kept = new Map<string, Kept>();

  /** @returns forgets it, when no call of the session is open any more */
  keep(identifier: string, session: string | undefined, secret: string | undefined): () => void {
    if (session === undefined || secret === undefined || session.length + secret.length > MAX_CHARACTERS)
      return () => undefined;
    const known = this.#kept.get(session);
    // Of two calls in the name of one session the first one counts.
    if (known !== undefined && (known.identifier !== identifier || known.secret !== secret)) return () => undefined;
    const kept = known ?? { secret, identifier, calls: 0 };
    kept.calls++;
    this.#kept.set(session, kept);
    return () => {
      kept.calls--;
      if (kept.calls === 0) this.#kept.delete(session);
    };
  }

  /** @param identifier of the function that sends; undefined where it is not known */
  of(session: unknown, identifier: string | undefined): string | undefined {
    if (typeof session !== 'string') return undefined;
    const kept = this.#kept.get(session);
    return kept === undefined || (identifier !== undefined && identifier !== kept.identifier) ? undefined : kept.secret;
  }
}
