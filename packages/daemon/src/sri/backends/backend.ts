import type { LimitOptions } from '@plugin-daemon/plugin-host/isolation';
import type { Log } from '../../telemetry/index.ts';
import type { EgressPolicy } from '../egress/index.ts';
import type { FunctionRecord } from '../function-store.ts';
import type { SessionSecrets } from '../session-secrets.ts';

/** What a function is called: here, and as the version of a plugin. */
export type FunctionName = Pick<FunctionRecord, 'name' | 'identifier'>;

/** A function whose environment is there. */
export interface BuiltFunction {
  readonly record: FunctionRecord;
  /** The working directory of its plugin version, absolute. */
  readonly directory: string;
  /** The interpreter of its environment, absolute. */
  readonly python: string;
  /** The environment that it shares with others, absolute: a cage has to show it. Absent when it is one of its own. */
  readonly shared?: string;
  /** Something was unpacked or installed since the last start. */
  readonly fresh: boolean;
}

/** Where an instance answers: an HTTP origin, reached over a Unix socket where one is named. */
export interface InstanceAddress {
  readonly origin: string;
  readonly socketPath?: string;
}

/** One running instance of a function, answering `GET /health` and `POST /invoke` as the SDK's serverless mode does. */
export interface FunctionInstance {
  /** Names it in logs. */
  readonly id: string;
  readonly address: InstanceAddress;
  /** What the log should say of it, such as its process id. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** Settles when it has ended, whoever ended it, with why. Never rejects. */
  readonly ended: Promise<{ readonly text: string }>;
  /** Ends it, with whatever is open: asked first, forced after a grace period. Resolves when it has ended. Idempotent. */
  stop(reason: string): Promise<void>;
}

export interface StartRequest {
  readonly function: BuiltFunction;
  readonly signal: AbortSignal;
}

/** What every back end is told. */
export interface BackendOptions {
  /** What plugins may see of the environment of this server. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where functions call back. */
  readonly daemonUrl: string;
  /** Where else they may connect to; `all` leaves them in a network of the back end. */
  readonly egress: EgressPolicy;
  readonly secrets: SessionSecrets;
  /** Longest silence of a function within one answer; MAX_REQUEST_TIMEOUT of the SDK. */
  readonly timeoutSeconds: number;
  /** How long a start may take. */
  readonly readySeconds: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly log: Log;
}

/** What back ends are told that run functions in an image. */
export interface ImageBackendOptions extends BackendOptions {
  readonly image: string;
  /** Tells what is ours from what other servers have on the same engine or in the same cluster. */
  readonly owner: string;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Makes what was built readable for that user. */
  readonly openForUser: (directory: string) => Promise<void>;
  readonly limits: LimitOptions;
}

/**
 * Runs instances of functions: as processes, as containers, in a cluster. It knows nothing of calls, scaling and launches; one
 * conformance suite runs over every implementation.
 */
export interface Backend {
  /** As in SRI_BACKEND. */
  readonly name: string;
  /** Whether its instances see environments that functions share, beside their working directories. */
  readonly showsShared: boolean;
  /**
   * Whether instances can be started now.
   * @throws DaemonError with cause and remedy
   */
  check(signal: AbortSignal): Promise<void>;
  /**
   * Starts one instance; resolves when it answers.
   * @throws DaemonError that names how it ended and its last words, or the limit it did not meet; the signal's reason when it was
   *   aborted. Nothing of it is left then.
   */
  start(request: StartRequest): Promise<FunctionInstance>;
  /** Ends what a former life of this server left running. Called once, before anything is started. */
  sweep(): Promise<void>;
  /** Forgets a function for good; no instance of it runs any more. */
  remove(target: FunctionName, directory: string): Promise<void>;
  /** After every instance has ended. */
  close(): Promise<void>;
}

/** What every back end gives its instances: the SDK's serverless mode on a port, and the way back to the daemon. */
export function functionVariables(options: {
  readonly host: string;
  readonly port: number;
  readonly daemonUrl: string;
  readonly timeoutSeconds: number;
}): Readonly<Record<string, string>> {
  return {
    INSTALL_METHOD: 'serverless',
    SERVERLESS_HOST: options.host,
    SERVERLESS_PORT: String(options.port),
    DIFY_PLUGIN_DAEMON_URL: options.daemonUrl,
    MAX_REQUEST_TIMEOUT: String(options.timeoutSeconds),
  };
}
