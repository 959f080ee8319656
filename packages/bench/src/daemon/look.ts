/** Looking at a daemon again and again: what its metrics say, and waiting until something holds. */
import { delay } from './process.ts';

/** Where the metrics page of a daemon is. */
interface Place {
  readonly url: string;
}

/** Sum of a metric over all rows of a page that carry these labels; 0 when there is none. */
export function metricIn(page: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  let sum = 0;
  for (const line of page.split('\n')) {
    if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
    if (!Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`))) continue;
    sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

/** The same, of a daemon as it is now. */
export async function metricOf(
  { url }: Place,
  name: string,
  labels?: Readonly<Record<string, string>>,
): Promise<number> {
  const answer = await fetch(`${url}/metrics/`, { signal: AbortSignal.timeout(5000) });
  return metricIn(await answer.text(), name, labels);
}

/** @throws when it does not become true; what `look` throws counts as "not yet" and is the error's cause */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  { limitMs = 90_000, everyMs = 50 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const end = performance.now() + limitMs;
  for (let cause: unknown; ; await delay(everyMs)) {
    try {
      if (await look()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`this never happened: ${what}`, { cause });
  }
}
