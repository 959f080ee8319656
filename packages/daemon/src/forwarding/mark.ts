import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

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
 * Signs and reads marks: `1;to;via,via;seconds;flags[@client];mac[,mac]`. The code covers method and target, so that a mark is good for one
 * request alone; it is made with every key in force, since nodes get a new one one after another.
 */
export class NodeMarks {
  readonly #keys: readonly Buffer[];
  readonly #now: () => number;

  /** @param now ms since 1970 */
  constructor(keys: readonly Buffer[], now: () => number = Date.now) {
    if (keys.length === 0) throw new Error('nodes need a key to know each other by');
    this.#keys = keys;
    this.#now = now;
  }

  sign(mark: Mark, method: string, target: string): { readonly header: string; readonly proof: string } {
    const client = isIP(mark.client ?? '') === 0 ? '' : `@${mark.client?.split('%', 1)[0]}`;
    const flags = `${mark.secure ? 's' : ''}${mark.awaitsSign ? 'w' : ''}${mark.aboutItself === true ? 'o' : ''}${client}`;
    const text = `1;${mark.to};${mark.via.join(',')};${Math.floor(this.#now() / 1000)};${flags}`;
    const codes = this.#keys.map((key) => codeOf(key, text, method, target));
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
    const known = this.#keys.some((key) => given.some((code) => same(code, codeOf(key, text, method, target))));
    if (!known) return 'foreign';
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
    return `${reason};${this.#keys.map((key) => codeOf(key, reason, '', proof)).join(',')}`;
  }

  /** @returns undefined for what is no refusal of that call: a plugin may answer with any header */
  readRefusal(header: unknown, proof: string): Refusal | undefined {
    if (typeof header !== 'string' || header.length > LONGEST) return undefined;
    const [name, codes = ''] = header.split(';');
    const reason = refusals.find((one) => one === name);
    if (reason === undefined) return undefined;
    const given = codes.split(',').slice(0, 4);
    const known = this.#keys.some((key) => given.some((code) => same(code, codeOf(key, reason, '', proof))));
    return known ? reason : undefined;
  }
}

const codeOf = (key: Buffer, text: string, method: string, target: string): string =>
  createHmac('sha256', key).update(`${text}\n${method}\n${target}`).digest('base64url');

function same(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
