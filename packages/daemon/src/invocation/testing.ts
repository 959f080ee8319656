/** For the tests of this folder: a runtime and an output that keep what they get, and invocations around them. */

import type { PluginRuntime, RuntimeSession, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import type { BackwardsInvocations } from '../backwards-invocation/index.ts';
import { StoredDeclaration } from '../database/index.ts';
import type { Placement } from '../routing/index.ts';
import { type ActionSpec, dispatchActions } from './actions.ts';
import { type CallOptions, Invocations, type InvocationsOptions } from './invocations.ts';
import type { Session } from './session.ts';
import type { SessionFailure, SessionOutcome, SessionOutput } from './session-contract.ts';

export class FakeRuntime implements PluginRuntime {
  readonly type = 'local';
  readonly pluginId = 'tests/fake';
  readonly identifier = 'tests/fake:0.0.1@abc';
  readonly sent: string[] = [];
  readonly ended: (readonly [id: string, how: 'closed' | 'cancelled'])[] = [];
  readonly sinks = new Map<string, SessionSink>();
  /** Thrown by `send`, as by a plugin that is gone. */
  broken: Error | undefined;

  open(sessionId: string, sink: SessionSink): RuntimeSession {
    this.sinks.set(sessionId, sink);
    const end = (how: 'closed' | 'cancelled') => {
      if (this.sinks.delete(sessionId)) this.ended.push([sessionId, how]);
    };
    return {
      send: (line) => {
        if (this.broken !== undefined) throw this.broken;
        this.sent.push(typeof line === 'string' ? line : line.map(String).join(''));
        return undefined;
      },
      close: () => end('closed'),
      cancel: () => end('cancelled'),
    };
  }

  /** The lines to the plugin, parsed. */
  get lines(): readonly Record<string, unknown>[] {
    return this.sent.map((line) => JSON.parse(line));
  }
}

export class FakeOutput implements SessionOutput {
  readonly chunks: string[] = [];
  flushes = 0;
  /** `end` or the failure; more than one entry is a bug. */
  readonly ends: ('end' | SessionFailure)[] = [];

  chunk(json: string): void {
    this.chunks.push(json);
  }

  flush(): void {
    this.flushes++;
  }

  end(): void {
    this.ends.push('end');
  }

  fail(failure: SessionFailure): void {
    this.ends.push(failure);
  }

  get failure(): SessionFailure {
    const [only, more] = this.ends;
    if (only === undefined || only === 'end' || more !== undefined) throw new Error(JSON.stringify(this.ends));
    return only;
  }
}

export function actionOf(path: string): ActionSpec {
  const found = dispatchActions.find((action) => action.path === path);
  if (found === undefined) throw new Error(`no action ${path}`);
  return found;
}

const silent: BackwardsInvocations = { handle: async () => undefined };

/** Where a fake runtime's calls go. */
export const placementOf = ({ identifier, pluginId, type }: PluginRuntime): Placement => ({
  identifier,
  runtimeType: type,
  where: { at: 'here' },
  declaration: async () => new StoredDeclaration(identifier, pluginId, '{}'),
});

export interface World {
  readonly invocations: Invocations;
  readonly runtime: FakeRuntime;
  readonly opened: Session[];
  readonly closed: (readonly [id: string, outcome: SessionOutcome])[];
  readonly faults: unknown[];
  open(output: SessionOutput, call?: Partial<CallOptions>): Promise<Session>;
}

export function world(options: Partial<InvocationsOptions> = {}): World {
  const runtime = new FakeRuntime();
  const opened: Session[] = [];
  const closed: [string, SessionOutcome][] = [];
  const faults: unknown[] = [];
  const invocations = new Invocations({
    routing: { peek: () => runtime, ready: async () => runtime },
    backwards: silent,
    limits: { totalSeconds: 600, idleSeconds: 0 },
    onOpened: (session) => opened.push(session),
    onClosed: (session, outcome) => closed.push([session.id, outcome]),
    onFault: (error) => faults.push(error),
    ...options,
  });
  return {
    invocations,
    runtime,
    opened,
    closed,
    faults,
    open: (output, call = {}) =>
      invocations.open(
        {
          action: actionOf('/tool/invoke'),
          placement: placementOf(runtime),
          envelope: {
            tenantId: 'tenant-1',
            userId: 'user-1',
            conversationId: null,
            messageId: 'message-1',
            appId: null,
            endpointId: null,
            context: '{"a":1}',
          },
          data: '{"tool":"x"}',
          traceparent: () => 'trace-1',
          caller: new AbortController(),
          ...call,
        },
        output,
      ),
  };
}
