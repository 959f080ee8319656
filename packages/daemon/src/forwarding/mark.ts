import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

/** On a request that one node hands to another. */
export const FORWARD_HEADER = 'x-plugin-daemon-forward';
/** On the answer of a node that did not begin with it. */
export const REFUSED_HEADER = 'x-plugin-daemon-refused';

/** Why a node did not begin with a call. */
export type Refusal =
  /** It stops. */
  | 'draining'
  /** The plugin is not there, or the call was meant for another node. */
  | 'not-mine'
  /** The mark was made with another key. */
  | 'foreign'
  /** It was made too long ago, or in the future. */
  | 'expired';

const refusals: readonly Refusal[] = ['draining', 'not-mine', 'foreign', 'expired'];

export interface Mark {
  /** The node that is to take the call. */
  readonly to: string;
  /** The nodes that it went through, the sender last. */
  readonly via: readonly string[];
  /** The client's connection was TLS. */
  readonly secure: boolean;
  /** The sender waits for a sign before it sends the body. */
  readonly awaitsSign: boolean;
  /** The receiver is asked about itself alone: it answers also while it stops. */
  readonly aboutItself?: boolean;
  /** The address of the client, as the first node saw it; undefined where a node asks for itself. */
  readonly client?: string | undefined;
}

export interface Signed extends Mark {
  /** Stands for this call in a refusal, so that nobody else can refuse it. */
  readonly proof: string;
}

/** Clocks of nodes may differ by less than this, in seconds; a mark that was overheard is good for as long. */
const WINDOW_SECONDS = 300;
/** Marks tell time in steps of so many seconds: a node's like calls bear the same one for as long, and its codes are made once. */
const STEP_SECONDS = 5;
/** Of how many requests the codes are kept, and of how long ones, in characters: half a megabyte. */
const KEPT_CODES = 500;
const LONGEST_KEPT = 1000;
/** Longer headers are nobody's. */
const LONGEST = 4096;
/** Nodes that a call may go through. */
export const MOST_HOPS = 4;

/** The keys of marks: the first signs, and any of them is accepted, while a key is being changed. */
export const nodeKeys = (keys: readonly (string | undefined)[]): readonly Buffer[] =>
  keys.flatMap((key) =>
    key === undefined || key === '' ? [] : [createHmac('sha256', key).update('plugin daemon: nodes').digest()],
  );

/**
 * Signs and reads marks: `1;to;via,via;seconds;flags[@client];mac[,mac]`. The code covers method and target, so that a mark is good for no
 * other request; it is made with every key in force, since nodes get a new one one after another.
 */
export class NodeMarks {
  readonly #keys: readonly Buffer[];
  readonly #now: () => number;
  /** Of what nodes have signed, by what it is made over: a code made on a processor that did something else meanwhile takes 0.04 to 0.08 ms. */
  readonly #codes = new LRUCache<string, readonly string[]>({ max: KEPT_CODES });

  /** @param now ms since 1970 */
  constructor(keys: readonly Buffer[], now: () => number = Date.now) {
    if (keys.length === 0) throw new Error('nodes need a key to know each other by');
    this.#keys = keys;
    this.#now = now;
  }

  sign(mark: Mark, method: string, target: string): { readonly header: string; readonly proof: string } {
    const client = isIP(mark.client ?? '') === 0 ? '' : `@${mark.client?.split('%', 1)[0]}`;
    const flags = `${mark.secure ? 's' : ''}${mark.awaitsSign ? 'w' : ''}${mark.aboutItself === true ? 'o' : ''}${client}`;
    const text = `1;${mark.to};${mark.via.join(',')};${this.#time()};${flags}`;
    const signed = signedText(text, method, target);
    const codes = this.#codesOf(signed);
    this.#keep(signed, codes);
    return { header: `${text};${codes.join(',')}`, proof: codes[0] ?? '' };
  }

  /** @returns what is wrong with it, else what it says */
  read(header: string, method: string, target: string): Signed | 'foreign' | 'expired' {
    const parts = header.length > LONGEST ? [] : header.split(';');
    const [version, to, via, seconds, flags, codes] = parts;
    if (parts.length !== 6 || version !== '1' || !to || !via || !seconds || flags === undefined || !codes)
      return 'foreign';
    const text = header.slice(0, header.lastIndexOf(';'));
    const given = codes.split(',').slice(0, 4);
    const signed = signedText(text, method, target);
    const expected = this.#codesOf(signed);
    if (!expected.some((own) => given.some((code) => same(code, own)))) return 'foreign';
    // Only now: strangers would have it forget what nodes have signed.
    this.#keep(signed, expected);
    if (!(Math.abs(this.#now() / 1000 - Number(seconds)) <= WINDOW_SECONDS)) return 'expired';
    const [letters = '', client = ''] = flags.split('@');
    return {
      to,
      via: via.split(','),
      secure: letters.includes('s'),
      awaitsSign: letters.includes('w'),
      aboutItself: letters.includes('o'),
      client: isIP(client) === 0 ? undefined : client,
      proof: given[0] ?? '',
    };
  }

  /** The header of a refusal. */
  refuse(reason: Refusal, proof: string): string {
    return `${reason};${this.#made(signedText(reason, '', proof)).join(',')}`;
  }

  /** @returns undefined for what is no refusal of that call: a plugin may answer with any header */
  readRefusal(header: unknown, proof: string): Refusal | undefined {
    if (typeof header !== 'string' || header.length > LONGEST) return undefined;
    const [name, codes = ''] = header.split(';');
    const reason = refusals.find((one) => one === name);
    if (reason === undefined) return undefined;
    const given = codes.split(',').slice(0, 4);
    const known = this.#made(signedText(reason, '', proof)).some((own) => given.some((code) => same(code, own)));
    return known ? reason : undefined;
  }

  /** In seconds, the last step. */
  #time(): number {
    const seconds = Math.floor(this.#now() / 1000);
    return seconds - (seconds % STEP_SECONDS);
  }

  /** One for each key. */
  #codesOf(signed: string): readonly string[] {
    return this.#codes.get(signed) ?? this.#made(signed);
  }

  #made(signed: string): readonly string[] {
    return this.#keys.map((key) => createHmac('sha256', key).update(signed).digest('base64url'));
  }

  #keep(signed: string, codes: readonly string[]): void {
    if (signed.length <= LONGEST_KEPT) this.#codes.set(signed, codes);
  }
}

const signedText = (text: string, method: string, target: string): string => `${text}\n${method}\n${target}`;

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
