import type { Log } from '@plugin-daemon/plugin-host/log';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { BuiltFunction, FunctionInstance, InstanceAddress } from '../backend.ts';
import { OutputLog, withLastWords } from '../output-log.ts';
import { type ContainerEngine, EngineRefusal } from './engine.ts';
import { Multiplexed } from './multiplexed.ts';

export interface ContainerInstanceOptions {
  readonly id: string;
  readonly engine: ContainerEngine;
  readonly target: BuiltFunction;
  readonly address: InstanceAddress;
  readonly graceMs: number;
  /** '' when there is no limit. */
  readonly memoryText: string;
  readonly log: Log;
}

/** What the kernel ends with a limit of memory ends like this. */
const KILLED = 137;
const SHORT_ID = 12;

/** A container of a function, from its creation to its removal. */
export class ContainerInstance implements FunctionInstance {
  readonly id: string;
  readonly address: InstanceAddress;
  readonly facts: Readonly<Record<string, string>>;
  readonly ended: Promise<{ readonly text: string }>;
  readonly #options: ContainerInstanceOptions;
  readonly #output: OutputLog;
  readonly #ended = Promise.withResolvers<{ readonly text: string }>();
  readonly #gone = new AbortController();
  #endReason: string | undefined;

  constructor(options: ContainerInstanceOptions) {
    const { id, target, address, log } = options;
    this.#options = options;
    this.id = `${target.record.name}-${id.slice(0, SHORT_ID)}`;
    this.address = address;
    this.facts = { container: id.slice(0, SHORT_ID) };
    this.ended = this.#ended.promise;
    this.#output = new OutputLog(log, { plugin: target.record.identifier, ...this.facts });
  }

  get lastWords(): string {
    return this.#output.lastWords;
  }

  /** Starts it and follows it to its end. @param leave called when it has been removed @throws EngineRefusal; nothing is left then */
  async run(leave: () => Promise<void>): Promise<void> {
    const { id, engine } = this.#options;
    try {
      await engine.call('POST', `/containers/${id}/start`);
    } catch (error) {
      await this.#remove();
      throw error;
    }
    void this.#watch(leave);
  }

  async stop(reason: string): Promise<void> {
    this.#endReason ??= reason;
    const { id, engine, graceMs, log } = this.#options;
    try {
      await engine.call('POST', `/containers/${id}/stop?t=${Math.ceil(graceMs / 1000)}`);
    } catch (error) {
      // It ended meanwhile, or the engine is away: then it is tried with force.
      if (!(error instanceof EngineRefusal) || (error.status !== 304 && error.status !== 404)) {
        log.warn({ ...this.facts, error: messageOf(error) }, 'a container did not stop: it is removed');
        await this.#remove();
      }
    }
    await this.ended;
  }

  async #watch(leave: () => Promise<void>): Promise<void> {
    const { id, engine, memoryText, log } = this.#options;
    const output = this.#follow();
    let how = 'it is not known how';
    let killed = false;
    try {
      const answer = await engine.call('POST', `/containers/${id}/wait`, { forever: true });
      const code = isObject(answer) ? answer.StatusCode : undefined;
      how = `exit code ${typeof code === 'number' ? code : '?'}`;
      killed = code === KILLED;
      await output;
    } catch (error) {
      how = messageOf(error);
    }
    this.#gone.abort();
    const limit =
      killed && this.#endReason === undefined && memoryText !== ''
        ? `most likely it used more than ${memoryText}`
        : undefined;
    const cause = this.#endReason ?? limit;
    const text = `the container of the function ended (${how}${cause === undefined ? '' : `, because ${cause}`})`;
    await this.#remove();
    await leave().catch((error: unknown) =>
      log.warn({ ...this.facts, error }, 'what a container has left could not be removed'),
    );
    this.#ended.resolve({ text: withLastWords(text, this.lastWords) });
  }

  async #follow(): Promise<void> {
    const { id, engine, log } = this.#options;
    const frames = new Multiplexed((source, bytes) => this.#output.push(source, bytes));
    try {
      await engine.stream(`/containers/${id}/logs?follow=true&stdout=true&stderr=true`, this.#gone.signal, (bytes) =>
        frames.push(bytes),
      );
    } catch (error) {
      if (!this.#gone.signal.aborted)
        log.debug({ ...this.facts, error: messageOf(error) }, 'the output of a container is not followed any more');
    }
  }

  async #remove(): Promise<void> {
    const { id, engine, log } = this.#options;
    await removeContainer(engine, id, log);
  }
}

/** With whatever runs in it. One that has gone already is fine. Never rejects. */
export async function removeContainer(engine: ContainerEngine, id: string, log: Log): Promise<void> {
  try {
    await engine.call('DELETE', `/containers/${id}?force=true&v=true`);
  } catch (error) {
    if (!(error instanceof EngineRefusal) || error.status !== 404)
      log.warn({ container: id.slice(0, SHORT_ID), error: messageOf(error) }, 'a container could not be removed');
  }
}
