import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { PassingMap } from '@plugin-daemon/plugin-host/collections';
import { DaemonError, type SessionError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime } from '@plugin-daemon/plugin-host/runtimes';
import { decodeDeclaration, type PluginDeclaration, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { BackwardsInvocations } from '../backwards-invocation/index.ts';
import type { Placement, Routing } from '../routing/index.ts';
import type { ActionSpec } from './actions.ts';
import type { Admission } from './admission/index.ts';
import { BatchedRuntime, isBatchable } from './batches/index.ts';
import type { SessionEnvelope } from './request-message.ts';
import { Session } from './session.ts';
import type { SessionLimits, SessionOutcome, SessionOutput } from './session-contract.ts';

export interface CallOptions {
  readonly action: ActionSpec;
  /** Which plugin, and where it runs. */
  readonly placement: Placement;
  /** Where the call would go if it came now: asked when its version went while it was waited for. Absent: it is for that version alone. */
  readonly anew?: (() => Placement | undefined | Promise<Placement | 'away' | undefined>) | undefined;
  readonly envelope: SessionEnvelope;
  /** JSON text of the plugin's `data`. */
  readonly data: string;
  /** `traceparent` of outgoing calls; asked for when the plugin first calls back. */
  readonly traceparent: () => string;
  readonly caller: WaitingCaller;
}

/** Who waits for the runtime; whoever leaves afterwards leaves the session. */
export interface WaitingCaller {
  /** Aborts when the caller leaves. It may be made when it is asked for, so only who waits asks. */
  readonly signal: AbortSignal;
}

type Admitted = ReturnType<Admission['admit']>;

export interface InvocationsOptions {
  readonly routing: Pick<Routing, 'peek' | 'ready'>;
  readonly backwards: BackwardsInvocations;
  readonly limits: SessionLimits;
  /** Absent: every call may begin. */
  readonly admission?: Admission;
  /** What readers keep of answers (files in pieces), for all sessions together. */
  readonly kept?: ByteBudget;
  readonly onOpened: (session: Session) => void;
  readonly onClosed: (session: Session, outcome: SessionOutcome) => void;
  readonly onFault: (error: unknown, session: Session) => void;
}

/**
 * A dying instance is replaced quickly; a request that met one is tried again this often (docs/wire/runtime-protocol.md#a-dying-instance).
 */
const RETRY_PAUSE_MS = 300;
const RETRY_LIMIT_MS = 6000;

/** Opens sessions and knows those that are open. */
export class Invocations {
  readonly #options: InvocationsOptions;
  readonly #open = new PassingMap<string, Session>();
  /** Somebody waits until none is open. */
  #drained: PromiseWithResolvers<void> | undefined;
  readonly #declarations = new WeakMap<PluginRuntime, PluginDeclaration>();

  constructor(options: InvocationsOptions) {
    this.#options = options;
  }

  get openSessions(): number {
    return this.#open.size;
  }

  /** The open sessions, the oldest first. */
  all(): readonly Session[] {
    return this.#open.values();
  }

  /** An open session, for plugins that call back by another way than their runtime's. */
  find(sessionId: string): Session | undefined {
    return this.#open.get(sessionId);
  }

  /**
   * Starts a call. Everything after the start goes to `output`.
   * @throws DaemonError when no runtime can take it.
   */
  async open(call: CallOptions, output: SessionOutput): Promise<Session> {
    const admitted = this.#admit(call);
    try {
      return await this.#begin(call, output, admitted);
    } catch (error) {
      // Having too much to do is no failure of the plugin.
      const isBusy = error instanceof DaemonError && error.kind === 'overloaded';
      admitted?.ended(call.caller.signal.aborted || isBusy ? 'client_disconnect' : 'error');
      throw error;
    }
  }

  #admit({ placement, envelope }: CallOptions): Admitted | undefined {
    const { admission } = this.#options;
    if (admission?.enabled !== true) return undefined;
    return admission.admit(envelope.tenantId, parseUniqueIdentifier(placement.identifier).pluginId);
  }

  async #begin(call: CallOptions, output: SessionOutput, admitted: Admitted | undefined): Promise<Session> {
    const { routing } = this.#options;
    const deadline = performance.now() + RETRY_LIMIT_MS;
    let { placement } = call;
    for (let attempt = 0; ; attempt++) {
      let runtime = routing.peek(placement);
      if (runtime === undefined) ({ placement, runtime } = await this.#ready(call, placement));
      const served = placement;
      const declaration = this.#declarations.get(runtime) ?? (await this.#declarationOf(served, runtime));
      const carrier =
        runtime.maxRequestBytes !== undefined && isBatchable(call.action)
          ? new BatchedRuntime(runtime, call.action)
          : runtime;
      const { action, envelope, data, traceparent } = call;
      const start = { id: randomUUID(), action, envelope, data, traceparent, runtime: carrier, declaration };
      const session = new Session(start, output, {
        backwards: this.#options.backwards,
        limits: this.#options.limits,
        kept: this.#options.kept,
        onFault: this.#options.onFault,
        onUnread: (unread, error) => void this.#resend(unread, served, error),
        onClosed: (closed, outcome) => {
          admitted?.ended(outcome);
          if (this.#open.delete(closed.id)) this.#forgotten(closed, outcome);
        },
      });
      try {
        session.begin();
      } catch (error) {
        // A request that no instance would take.
        if (error instanceof DaemonError && error.kind === 'internal') throw error;
        if (performance.now() > deadline) {
          throw new DaemonError('internal', `${messageOf(error)}\nfailed to write request`, { cause: error });
        }
        // The first time another one is asked for at once: it has just ended, and is known to.
        if (attempt > 0) await sleep(RETRY_PAUSE_MS, undefined, { signal: call.caller.signal });
        continue;
      }
      this.#open.set(session.id, session);
      this.#options.onOpened(session);
      return session;
    }
  }

  /**
   * Waits for a runtime. A version that was replaced meanwhile, by an upgrade, has taken nothing of the call: it goes to the one that the
   * tenant has now.
   */
  async #ready({ anew, caller: { signal } }: CallOptions, first: Placement) {
    const { routing } = this.#options;
    for (let placement = first; ; ) {
      try {
        return { placement, runtime: await routing.ready(placement, signal) };
      } catch (error) {
        // What cannot be asked now changes nothing about the first failure.
        const next = signal.aborted ? undefined : await (async () => anew?.())().catch(() => undefined);
        if (next === undefined || next === 'away' || next.identifier === placement.identifier) throw error;
        placement = next;
      }
    }
  }

  /** Finds another runtime for a call that was not begun. Without one it fails with what became of the first. */
  async #resend(session: Session, placement: Placement, error: SessionError): Promise<void> {
    const { routing } = this.#options;
    try {
      session.resend(routing.peek(placement) ?? (await routing.ready(placement, session.signal)));
    } catch {
      session.fail(error);
    }
  }

  /** Resolves when something here runs the plugin. @throws DaemonError `not-routable` if nothing does. */
  async requireRunning(placement: Placement, signal: AbortSignal): Promise<void> {
    const { routing } = this.#options;
    if (routing.peek(placement) === undefined) await routing.ready(placement, signal);
  }

  #forgotten(session: Session, outcome: SessionOutcome): void {
    this.#options.onClosed(session, outcome);
    if (this.#open.size > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  async #declarationOf(placement: Placement, runtime: PluginRuntime): Promise<PluginDeclaration> {
    const stored = await placement.declaration();
    if (stored === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
    const declaration = decodeDeclaration(stored.value);
    this.#declarations.set(runtime, declaration);
    return declaration;
  }

  /** Ends every open session with the same error: the daemon stops. */
  abortAll(error: DaemonError): void {
    for (const session of this.#open.values()) session.abort(error);
  }

  /** Resolves when no session is open or `signal` aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0 || signal.aborted) return;
    this.#drained ??= Promise.withResolvers<void>();
    const enough = Promise.withResolvers<void>();
    const hurry = () => enough.resolve();
    signal.addEventListener('abort', hurry, { once: true });
    await Promise.race([this.#drained.promise, enough.promise]);
    signal.removeEventListener('abort', hurry);
  }
}
