import { PassingMap } from '@plugin-daemon/plugin-host/collections';
import { messageOf } from '@plugin-daemon/values';
import type { Dispatcher, Pool } from 'undici';
import type { Member } from '../nodes/index.ts';
import type { Exchange } from './exchange.ts';
import type { NodeMarks } from './mark.ts';
import { FORWARD_HEADER, REFUSED_HEADER } from './mark.ts';

/** PEM texts; nodes show certificates to each other both ways. */
export interface NodeTls {
  readonly ca: string | undefined;
  readonly cert: string;
  readonly key: string;
}

/** What a node is asked about itself. */
export interface Question {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly client: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** An answer that goes on: what comes of it, until it ends, breaks off or is given up. */
export interface Heard {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface PeerOptions {
  readonly self: string;
  readonly marks: NodeMarks;
  readonly tls: NodeTls | undefined;
}

/** A node that said nothing for so long is asked whether it is there before it gets a call, in ms. */
const FRESH_MS = 250;
/** How long it may take to answer that, and to take a connection. */
const PROBE_MS = 1000;
/** One that did not answer gets no call for so long. */
const SUSPECT_MS = 3000;
/** While calls are open there, this often. */
const WATCH_MS = 2000;
/** Calls of a node that says nothing for so long, though it is asked, are given up. A process that is stopped for less goes on with them. */
const SILENCE_MS = 30_000;
/** How long a node may take to tell about itself, and how much it may tell. */
const QUESTION_MS = 3000;
const LONGEST_ANSWER = 8 * 1024 * 1024;
/** Kept connections: less than the 120 s of the other side. */
const KEEP_ALIVE_MS = 60_000;

/** One other node: the connections to it, and what was last heard on them. */
export class Peer {
  readonly #options: PeerOptions;
  #member: Member;
  readonly #pools = new Map<string, Promise<Pool>>();
  /** By the order in which they came. */
  readonly #open = new PassingMap<number, Exchange>();
  #calls = 0;
  #origin: string | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #suspectUntil = Number.NEGATIVE_INFINITY;
  #probing: Promise<boolean> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  /** Why it gets no calls. */
  #reason = 'it does not answer';

  constructor(member: Member, options: PeerOptions) {
    this.#member = member;
    this.#options = options;
  }

  /** Calls of ours that are open there. */
  get open(): number {
    return this.#open.size;
  }

  /** It did not answer a moment ago. */
  get suspect(): boolean {
    return performance.now() < this.#suspectUntil;
  }

  get reason(): string {
    return this.#reason;
  }

  update(member: Member): void {
    this.#member = member;
  }

  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Where it is reached; it has answered there a moment ago. Undefined when it does not answer. */
  async reach(): Promise<Pool | undefined> {
    const fresh = this.#origin !== undefined && performance.now() - this.#heardAt < FRESH_MS;
    if (!fresh && !(await this.#probe())) return undefined;
    return this.#origin === undefined ? undefined : await this.#pool(this.#origin);
  }

  /** Watches over a call until it has ended. */
  async attend(exchange: Exchange): Promise<void> {
    const call = this.#calls++;
    this.#open.set(call, exchange);
    this.#watch ??= setInterval(() => void this.#look(), WATCH_MS).unref();
    try {
      await exchange.done;
    } finally {
      this.#open.delete(call);
    }
  }

  /** Calls that are open may come to their end; then the connections close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    const pools = await Promise.all(this.#pools.values());
    await Promise.all(pools.map((pool) => (this.#open.size === 0 ? pool.destroy() : pool.close())));
  }

  #stopWatching(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  async #look(): Promise<void> {
    // Not with the last call: the next one would have to begin again.
    if (this.#open.size === 0) return this.#stopWatching();
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < WATCH_MS || (await this.#probe())) return;
    if (performance.now() - this.#heardAt < SILENCE_MS) return;
    for (const exchange of this.#open.values()) exchange.lose(`it did not answer for ${SILENCE_MS / 1000} s`);
  }

  /** Asks at each address; one at a time for everybody. Never rejects. */
  #probe(): Promise<boolean> {
    this.#probing ??= this.#ask().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** Where it may be reached: where it answered before comes first. */
  #origins(): readonly string[] {
    const scheme = this.#member.tls ? 'https' : 'http';
    const origins = this.#member.addresses.map(
      ({ host, port }) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    );
    return [...origins.filter((one) => one === this.#origin), ...origins.filter((one) => one !== this.#origin)];
  }

  /**
   * Asks it about itself.
   * @throws when it is reached nowhere, does not answer in time, or says more than it should
   */
  async question(question: Question): Promise<Answered> {
    const { statusCode, body } = await this.#asked(question, () => AbortSignal.timeout(QUESTION_MS));
    return { status: statusCode, text: await textWithin(body, LONGEST_ANSWER) };
  }

  /**
   * Asks it about itself what it goes on answering.
   * @param signal gives the answer up
   * @throws when it is reached nowhere, or does not begin to answer in time
   */
  async listen(question: Question, signal: AbortSignal): Promise<Heard> {
    const late = new AbortController();
    const limit = setTimeout(() => late.abort(new Error('it did not answer in time')), QUESTION_MS);
    try {
      const { statusCode, body } = await this.#asked(question, () => AbortSignal.any([signal, late.signal]));
      return { status: statusCode, body };
    } finally {
      clearTimeout(limit);
    }
  }

  /** At the first of its addresses that answers. */
  async #asked(
    { method, target, headers, client }: Question,
    signal: () => AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { marks, self } = this.#options;
    const mark = { to: this.#member.id, via: [self], secure: false, awaitsSign: false, aboutItself: true, client };
    let failed: unknown = new Error('it has no address');
    for (const origin of this.#origins()) {
      try {
        const pool = await this.#pool(origin);
        return await pool.request({
          method,
          path: target,
          headers: { ...headers, [FORWARD_HEADER]: marks.sign(mark, method, target).header },
          signal: signal(),
        });
      } catch (error) {
        failed = error;
      }
    }
    throw failed;
  }

  async #ask(): Promise<boolean> {
    for (const origin of this.#origins()) {
      if (this.#closed || !(await this.#answers(origin))) continue;
      this.#origin = origin;
      this.#suspectUntil = Number.NEGATIVE_INFINITY;
      this.heard();
      return true;
    }
    this.#suspectUntil = performance.now() + SUSPECT_MS;
    return false;
  }

  async #answers(origin: string): Promise<boolean> {
    const path = this.#member.foreign ? '/health/check' : '/livez';
    const { marks, self } = this.#options;
    const mark = { to: this.#member.id, via: [self], secure: false, awaitsSign: false };
    try {
      const pool = await this.#pool(origin);
      const answer = await pool.request({
        method: 'GET',
        path,
        headers: this.#member.foreign ? {} : { [FORWARD_HEADER]: marks.sign(mark, 'GET', path).header },
        signal: AbortSignal.timeout(PROBE_MS),
      });
      await answer.body.dump();
      if (answer.statusCode === 200) return true;
      const refusal = String(answer.headers[REFUSED_HEADER] ?? answer.statusCode).split(';', 1)[0] ?? '';
      // One that stops is there, for the calls that it has.
      if (refusal === 'draining') this.heard();
      this.#reason = `it refuses calls: ${refusal}`;
      return false;
    } catch (error) {
      this.#reason = `it does not answer: ${messageOf(error)}`;
      return false;
    }
  }

  async #pool(origin: string): Promise<Pool> {
    const known = this.#pools.get(origin);
    if (known !== undefined) return await known;
    const opened = import('undici').then(({ Pool }) => {
      const { tls } = this.#options;
      return new Pool(origin, {
        connections: null,
        allowH2: false,
        connect: {
          timeout: PROBE_MS,
          ...(tls !== undefined && { cert: tls.cert, key: tls.key, ...(tls.ca !== undefined && { ca: tls.ca }) }),
        },
        // Whether it lives is found out by asking; how long an answer takes is the plugin's business.
        headersTimeout: 0,
        bodyTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: KEEP_ALIVE_MS,
      });
    });
    this.#pools.set(origin, opened);
    return await opened;
  }
}

/** @throws when there is more */
async function textWithin(body: AsyncIterable<Buffer>, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > most) throw new Error(`it answered more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
