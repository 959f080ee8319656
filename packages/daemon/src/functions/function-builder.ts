import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Cache, Lock } from '../cache/index.ts';
import { type LaunchEvent, type LaunchedFunction, type SriClient, SriRefusal, SriUnavailable } from './sri/index.ts';

/** Where a function came from, or that there is none. */
export type LaunchOutcome = 'found' | 'built' | 'failed';

export interface FunctionBuilderOptions {
  readonly sri: Pick<SriClient, 'find' | 'launch'>;
  readonly cache: Pick<Cache, 'lock'>;
  readonly openPackage: (
    identifier: string,
    signal: AbortSignal,
  ) => Promise<{ readonly size: number; readonly stream: Readable }>;
  /** Whether its signature was good. */
  readonly isVerified: (identifier: string) => Promise<boolean>;
  /** Longest launch, all attempts and the wait for others together; DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT. */
  readonly launchMs: number;
  /** Before the second attempt, doubled with each further one, in ms; default 500. */
  readonly firstPauseMs?: number;
  readonly log: Log;
  readonly onLaunch: (identifier: string, outcome: LaunchOutcome) => void;
}

export interface BuildOptions {
  readonly signal: AbortSignal;
  /** A function that exists is not good enough. */
  readonly anew: boolean;
  readonly onEvent: (event: LaunchEvent) => void;
}

/** Launches of one version that broke off for an unknown reason. */
const MAX_BROKEN = 3;
const LONGEST_PAUSE_MS = 5000;
/** What their columns hold. */
const LONGEST_URL = 255;
const LONGEST_NAME = 127;
/** What addresses drop in silence, and \ufffd what was there before a text was made fit to be kept. */
const CONTROL = /[\p{Cc}\ufffd]/u;

/**
 * Gets the function of a plugin version from the connector. Of all daemons one launches a version at a time; the others then find what it
 * has built. What breaks off is looked for and launched again: the connector may have been restarted.
 */
export class FunctionBuilder {
  readonly #options: FunctionBuilderOptions;

  constructor(options: FunctionBuilderOptions) {
    this.#options = options;
  }

  /** @throws SriRefusal, SriUnavailable, DaemonError; the signal's reason */
  async build(identifier: string, { signal, anew, onEvent }: BuildOptions): Promise<LaunchedFunction> {
    const { launchMs, onLaunch } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tookTooLong(launchMs)), launchMs);
    const limited = AbortSignal.any([signal, late.signal]);
    let lock: Lock | undefined;
    try {
      lock = await this.#lock(identifier, limited);
      const { found, built } = await this.#attempts(identifier, limited, anew, onEvent);
      onLaunch(identifier, built ? 'built' : 'found');
      return found;
    } catch (error) {
      if (!signal.aborted) onLaunch(identifier, 'failed');
      throw error;
    } finally {
      clearTimeout(timer);
      await lock?.release();
    }
  }

  /** What the connector has, without building anything. */
  async find(identifier: string, signal: AbortSignal): Promise<LaunchedFunction | undefined> {
    const found = await this.#options.sri.find(fileNameOf(identifier), signal);
    // Whatever it lists without an address does not run yet.
    return found === undefined || found.url === '' ? undefined : checked(found);
  }

  /** Without the lock two may build at once, which is a waste and no harm. */
  async #lock(identifier: string, signal: AbortSignal): Promise<Lock | undefined> {
    const { cache, launchMs, log } = this.#options;
    const { checksum } = parseUniqueIdentifier(identifier);
    try {
      const lock = await cache.lock(`serverless_launch_lock_${checksum}`, { waitMs: launchMs, signal });
      if (lock === undefined)
        log.warn({ plugin: identifier }, 'another daemon launches this version for very long; launching it too');
      return lock;
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ plugin: identifier, err: error }, 'the lock for a launch cannot be had; launching without it');
      return undefined;
    }
  }

  async #attempts(
    identifier: string,
    signal: AbortSignal,
    anew: boolean,
    onEvent: (event: LaunchEvent) => void,
  ): Promise<{ readonly found: LaunchedFunction; readonly built: boolean }> {
    const { log, firstPauseMs = 500 } = this.#options;
    let broken = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        const known = anew ? undefined : await this.find(identifier, signal);
        if (known !== undefined) return { found: known, built: false };
        return { found: await this.#launch(identifier, signal, onEvent), built: true };
      } catch (error) {
        signal.throwIfAborted();
        const isDown = error instanceof SriUnavailable && error.reached === 'never';
        // To launch once more what shall be built anew may leave two of them: that is for the operator to decide.
        const mayPass = error instanceof SriUnavailable || (error instanceof SriRefusal && error.isTransient);
        if (!isDown && (anew || !mayPass || ++broken >= MAX_BROKEN)) throw error;
        log.warn({ plugin: identifier, err: error }, 'the serverless connector broke off a launch; trying again');
        await pause(Math.min(firstPauseMs * 2 ** attempt, LONGEST_PAUSE_MS), undefined, { signal });
      }
    }
  }

  async #launch(
    identifier: string,
    signal: AbortSignal,
    onEvent: (event: LaunchEvent) => void,
  ): Promise<LaunchedFunction> {
    const { sri, openPackage, isVerified, log } = this.#options;
    const verified = await isVerified(identifier);
    const content = await openPackage(identifier, signal);
    let found: LaunchedFunction | undefined;
    let failure: string | undefined;
    let isDone = false;
    const request = { fileName: fileNameOf(identifier), identifier, verified, content };
    for await (const event of sri.launch(request, signal)) {
      onEvent(event);
      if (event.event === 'function') found = event;
      else if (event.event === 'failed') failure = event.message;
      else if (event.event === 'done') {
        isDone = true;
        // Its last word. That the stream closes is not waited for: some connectors, and proxies before them, keep it open.
        break;
      }
    }
    if (isDone && found !== undefined && found.url !== '' && found.name !== '') {
      if (failure !== undefined)
        log.warn({ plugin: identifier, failure }, 'a launch succeeded after it had said that it failed');
      return checked(found);
    }
    if (failure !== undefined)
      throw new SriRefusal(
        failure === '' ? 'the launch failed, and the connector does not say why' : failure,
        'launch',
      );
    if (isDone) throw new NoAddress();
    throw new SriUnavailable('the launch ended without a word on whether the function runs', 'answer');
  }
}

/** The launch is over and nobody knows where the function is. */
export class NoAddress extends Error {
  override readonly name = 'NoAddress';
}

/** The name under which the connector knows a package. */
export function fileNameOf(identifier: string): string {
  const { author, name, version, checksum } = parseUniqueIdentifier(identifier);
  return `${author}@${name}@${version}@${checksum}.difypkg`;
}

/** @throws SriRefusal for what cannot be an address, or does not fit into its row */
function checked({ url, name }: LaunchedFunction): LaunchedFunction {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new SriRefusal(
      `the serverless connector gave an address that is none: ${JSON.stringify(url.slice(0, LONGEST_URL))}`,
      'launch',
    );
  if (CONTROL.test(url) || CONTROL.test(name))
    throw new SriRefusal(
      `the serverless connector gave an address or a name with control characters in it: ${JSON.stringify(url.slice(0, LONGEST_URL))}, ${JSON.stringify(name.slice(0, LONGEST_NAME))}`,
      'launch',
    );
  if (url.length > LONGEST_URL || name.length > LONGEST_NAME)
    throw new SriRefusal(
      `the serverless connector gave an address or a name that is too long: ${url.length} and ${name.length} characters, where ${LONGEST_URL} and ${LONGEST_NAME} are the limit`,
      'launch',
    );
  return { url, name };
}

const tookTooLong = (launchMs: number): DaemonError =>
  new DaemonError('internal', `the launch of the function took longer than ${launchMs / 1000} s and was given up`, {
    remedy: 'Raise DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT, or look into the log of the connector',
  });
