import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { BackwardsInvocations } from '../backwards-invocation/contract.ts';
import { DaemonError } from '../errors/index.ts';
import type { PluginRuntime } from '../runtimes/runtime.ts';
import type { ActionSpec } from './actions.ts';
import type { SessionEnvelope } from './request-message.ts';
import { Session, type SessionLimits, type SessionOutcome, type SessionOutput } from './session.ts';

/** Finds what runs a plugin. */
export interface RuntimeDirectory {
  /** The runtime if it is ready now. */
  peek(identifier: string): PluginRuntime | undefined;
  /**
   * The runtime, waiting while it starts.
   * @throws DaemonError `not-routable` if nothing here runs it, `runtime-unavailable` with the cause if it cannot be started now.
   */
  ready(identifier: string, signal: AbortSignal): Promise<PluginRuntime>;
  /** The declaration of a plugin that is (or was) running here. */
  declaration(identifier: string, runtime: PluginRuntime): Promise<PluginDeclaration>;
}

export interface CallOptions {
  readonly action: ActionSpec;
  /** The plugin unique identifier. */
  readonly identifier: string;
  readonly envelope: SessionEnvelope;
  /** JSON text of the plugin's `data`. */
  readonly data: string;
  /** `traceparent` of outgoing calls; asked for when the plugin first calls back. */
  readonly traceparent: () => string;
  /** Aborts waiting for the runtime; afterwards use `Session.leave`. */
  readonly signal: AbortSignal;
}

export interface InvocationsOptions {
  readonly runtimes: RuntimeDirectory;
  readonly backwards: BackwardsInvocations;
  readonly limits: SessionLimits;
  readonly onOpened: (session: Session) => void;
  readonly onClosed: (session: Session, outcome: SessionOutcome) => void;
  readonly onFault: (error: unknown, session: Session) => void;
}

/** A dying instance is replaced quickly; a request that met one is tried again this often (runtime-protocols §3.6). */
const RETRY_PAUSE_MS = 300;
const RETRY_LIMIT_MS = 6000;

/** Opens sessions and knows those that are open. */
export class Invocations {
  readonly #options: InvocationsOptions;
  readonly #open = new Set<Session>();
  readonly #declarations = new WeakMap<PluginRuntime, PluginDeclaration>();

  constructor(options: InvocationsOptions) {
    this.#options = options;
  }

  get openSessions(): number {
    return this.#open.size;
  }

  /**
   * Starts a call. Everything after the start goes to `output`.
   * @throws DaemonError when no runtime can take it.
   */
  async open(call: CallOptions, output: SessionOutput): Promise<Session> {
    const { runtimes } = this.#options;
    const deadline = performance.now() + RETRY_LIMIT_MS;
    for (;;) {
      const runtime = runtimes.peek(call.identifier) ?? (await runtimes.ready(call.identifier, call.signal));
      const declaration = this.#declarations.get(runtime) ?? (await this.#declarationOf(call.identifier, runtime));
      const session = new Session({ ...call, id: randomUUID(), runtime, declaration }, output, {
        backwards: this.#options.backwards,
        limits: this.#options.limits,
        onFault: this.#options.onFault,
        onClosed: (closed, outcome) => {
          if (this.#open.delete(closed)) this.#options.onClosed(closed, outcome);
        },
      });
      try {
        session.begin();
      } catch (error) {
        if (performance.now() > deadline) {
          throw new DaemonError(
            'internal',
            `${error instanceof Error ? error.message : String(error)}\nfailed to write request`,
            { cause: error },
          );
        }
        await sleep(RETRY_PAUSE_MS, undefined, { signal: call.signal });
        continue;
      }
      this.#open.add(session);
      this.#options.onOpened(session);
      return session;
    }
  }

  /** Resolves when something here runs the plugin. @throws DaemonError `not-routable` if nothing does. */
  async requireRunning(identifier: string, signal: AbortSignal): Promise<void> {
    const { runtimes } = this.#options;
    if (runtimes.peek(identifier) === undefined) await runtimes.ready(identifier, signal);
  }

  async #declarationOf(identifier: string, runtime: PluginRuntime): Promise<PluginDeclaration> {
    const declaration = await this.#options.runtimes.declaration(identifier, runtime);
    this.#declarations.set(runtime, declaration);
    return declaration;
  }

  /** Ends every open session with the same error: the daemon stops. */
  abortAll(error: DaemonError): void {
    for (const session of [...this.#open]) session.abort(error);
  }

  /** Resolves when no session is open or `signal` aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.#open.size > 0 && !signal.aborted) await sleep(50);
  }
}
