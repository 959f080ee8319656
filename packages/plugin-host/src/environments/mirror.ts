import type { Proxies } from './installer-environment.ts';
import { proxyAgent } from './proxy-agent.ts';

export interface MirrorOptions {
  /** PIP_MIRROR_URL: taken as it is, nothing is probed. */
  readonly url: string | undefined;
  readonly autoDetect: boolean;
  /** PIP_MIRROR_CANDIDATES. None are built in: which mirrors to trust is the operator's choice. */
  readonly candidates: readonly string[];
  /** For all probes together. */
  readonly timeoutSeconds: number;
}

/** A mirror must be this much faster than the index it replaces. */
const ADVANTAGE = 0.9;

/**
 * Finds the mirror to install from, once (docs/wire/lifecycle.md#mirror): the fastest usable candidate that beats the public index by
 * a tenth. Never rejects; nothing usable means no mirror.
 * @param publicIndex asks uv for the index it would use
 */
export async function detectMirror(
  options: MirrorOptions,
  proxies: Proxies,
  publicIndex: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (options.url) return options.url;
  const candidates = options.candidates.map((one) => one.trim()).filter((one) => one !== '');
  if (!options.autoDetect || candidates.length === 0) return undefined;
  const { request } = await import('undici');
  const agent = await proxyAgent(proxies);
  const signal = AbortSignal.timeout(options.timeoutSeconds * 1000);
  const latency = async (url: string | undefined): Promise<number> => {
    if (url === undefined) return Number.POSITIVE_INFINITY;
    const start = performance.now();
    try {
      const { statusCode, body } = await request(url, { method: 'HEAD', dispatcher: agent, signal });
      await body.dump();
      return statusCode < 400 ? performance.now() - start : Number.POSITIVE_INFINITY;
    } catch {
      return Number.POSITIVE_INFINITY; // not usable, whatever the reason
    }
  };
  try {
    const [reference, ...found] = await Promise.all([
      publicIndex().then(latency, () => Number.POSITIVE_INFINITY),
      ...candidates.map(latency),
    ]);
    const best = Math.min(...found);
    if (!Number.isFinite(best) || best >= ADVANTAGE * (reference ?? Number.POSITIVE_INFINITY)) return undefined;
    return candidates[found.indexOf(best)];
  } finally {
    await agent.close();
  }
}
