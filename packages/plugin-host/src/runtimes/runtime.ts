/**
 * What every runtime offers, whether the plugin is a local process, a debugging connection or a function: sessions can be opened
 * on it. Transport and process differ; this contract and its test suite are the same (docs/wire/runtime-protocol.md#lines).
 */
import type { SessionError } from '../errors/index.ts';

export type RuntimeType = 'local' | 'remote' | 'serverless';

/**
 * Receives what a plugin says for one session. Called synchronously while input is read, so an implementation must not block and
 * must bound what it keeps; a slow reader is its problem alone.
 */
export interface SessionSink {
  /**
   * One `stream` message. `json` is the text of its payload with one character per byte of UTF-8 (latin1); it is well-formed UTF-8
   * without the characters that line readers take for a line end.
   * @returns false if `json` is no JSON value: the line was not of the usual shape and has to be read the ordinary way.
   */
  chunk(json: string): boolean;
  /** All input that arrived together has been delivered: write out what was collected. */
  flush(): void;
  /** One `invoke` message: its data, parsed. */
  invoke(data: unknown): void;
  /** The session ended well. Nothing follows. */
  end(): void;
  /** The session failed: plugin error, bad message, lost plugin. Nothing follows. */
  fail(error: SessionError): void;
  /**
   * The plugin is gone and never read the request: nothing of the call has begun. Nothing follows, and the session may be opened anew, on
   * another runtime. Without this method it fails like all others.
   */
  unread?(error: SessionError): void;
}

/** What a plugin is sent: text without its newline. A long one in pieces, ASCII where they are bytes, so that nobody has to join them. */
export type Line = string | readonly (string | Buffer)[];

/** What a runtime may tell the plugin, or what stands between, about a session besides its lines. */
export interface SessionContext {
  /** The access action, for gateways that sort requests by their address. */
  readonly action: string;
  /** `traceparent` of outgoing requests. */
  readonly traceparent: () => string;
}

/**
 * One open session on a runtime. What carries it may be slow to come up: whatever goes wrong after `open` and `send` have returned is
 * told to the sink, which hears nothing before they have.
 */
export interface RuntimeSession {
  /**
   * Where the plugin calls back by a way of its own, the secret it was given to show there: who has learnt the id of a session alone can do
   * nothing with it. Absent where calls back come in on the session itself.
   */
  readonly callBackSecret?: string;
  /**
   * Sends a line to the plugin (without its newline): the request, later the backwards responses.
   * @returns a promise when the plugin reads slower than it is written to, or is not reached yet, settled when there is room again;
   * undefined otherwise. It never rejects.
   * @throws when the plugin is known to be gone.
   */
  send(line: Line): Promise<void> | undefined;
  /** Forgets the session: it is over. Idempotent. */
  close(): void;
  /** Forgets the session and tells the plugin to stop working on it. Idempotent. */
  cancel(): void;
}

export interface PluginRuntime {
  readonly type: RuntimeType;
  readonly pluginId: string;
  /** The plugin unique identifier. */
  readonly identifier: string;
  /** Largest request in bytes as `requestBytes` of runtimes/serverless counts them; absent where a line may have any length. */
  readonly maxRequestBytes?: number;
  /**
   * Opens a session, without waiting for anything. `sink` gets everything that the plugin sends for `sessionId` until it ends, fails or is
   * closed.
   * @throws when the plugin is known to be gone.
   */
  open(sessionId: string, sink: SessionSink, context?: SessionContext): RuntimeSession;
  /** A session got its first message. @param kind of call, such as its action @param ms since the request was sent */
  answered?(kind: string, ms: number): void;
}

/** What the owner of an instance wants to know of it at once. Called synchronously; must not throw. */
export interface InstanceListener {
  /** One of its sessions is over: there may be room for a call that waits. */
  closed(): void;
  answered(kind: string, ms: number): void;
  /** It has open sessions and has not said a word for longer than it should, or a call that was cancelled goes on inside it. */
  stuck(reason: string): void;
}

/** A runtime that supervision starts and ends, one of perhaps several that run a plugin version. */
export interface PluginInstance extends PluginRuntime {
  /** Open sessions. */
  readonly load: number;
  /** It takes no more sessions. */
  readonly dead: boolean;
  /** There is one listener, its owner. */
  watch(listener: InstanceListener): void;
  /** Settles when no session is open; at once if none is. */
  idle(): Promise<void>;
  /** Ends it, with whatever is open. Resolves when it has ended. Idempotent. */
  stop(reason: string): Promise<unknown>;
  /** Settles when it has ended, whoever ended it, with why. Never rejects. */
  readonly ended: Promise<{ readonly text: string }>;
  /** What the log should say of it, such as its process id. */
  readonly facts: Readonly<Record<string, string | number>>;
}
