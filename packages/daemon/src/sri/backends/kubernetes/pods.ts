import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { isObject, messageOf } from '@plugin-daemon/values';
import { type KubernetesApi, KubernetesRefusal } from './api.ts';

/** What is to be known of a pod. */
export interface PodState {
  /** The job that made it: an instance. */
  readonly job: string;
  readonly address: string | undefined;
  /** How its container ended; undefined while it has not. */
  readonly ended: { readonly text: string; readonly lastWords: string } | undefined;
  /** Why it does not start, where the cluster says that it never will as it is. */
  readonly stuck: string | undefined;
}

const GONE = 410;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** Reasons to wait that waiting does not change. */
const HOPELESS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** Follows the pods of this server: one list and one watch for all of them, begun anew when the cluster ends it. */
export class Pods {
  readonly #api: KubernetesApi;
  readonly #path: string;
  readonly #log: Log;
  readonly #closed = new AbortController();
  /** By job. Called with undefined when the pod is gone. */
  readonly #followers = new Map<string, (state: PodState | undefined) => void>();
  #following: Promise<void> | undefined;
  /** Jobs that had a pod. */
  #seen = new Set<string>();

  constructor(api: KubernetesApi, selector: string, log: Log) {
    this.#api = api;
    this.#path = `${api.path('/api/v1', 'pods')}?labelSelector=${encodeURIComponent(selector)}`;
    this.#log = log;
  }

  /** Tells what becomes of the pod of a job. @returns stops it */
  follow(job: string, listener: (state: PodState | undefined) => void): () => void {
    this.#followers.set(job, listener);
    this.#following ??= this.#run();
    return () => void this.#followers.delete(job);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#following;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        let version = await this.#list();
        pause = FIRST_PAUSE_MS;
        for (;;) {
          await this.#api.watch(this.#path, version, signal, ({ type, object }) => {
            version = versionOf(object) || version;
            if (type !== 'BOOKMARK') this.#tell(object, type === 'DELETED');
          });
          // Clusters end watches after a while, and a broken one at once.
          await sleep(FIRST_PAUSE_MS, undefined, { signal });
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof KubernetesRefusal && error.status === GONE) continue;
        this.#log.warn({ error: messageOf(error) }, 'the pods of functions cannot be followed: trying again');
        await sleep(pause, undefined, { signal }).catch(() => undefined);
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
  }

  async #list(): Promise<string> {
    const list = (await this.#api.get(this.#path, this.#closed.signal)) ?? {};
    const items = Array.isArray(list.items) ? list.items.filter(isObject) : [];
    const found = new Set<string>();
    for (const pod of items) {
      found.add(jobOf(pod));
      this.#tell(pod, false);
    }
    this.#seen = new Set([...this.#seen].filter((job) => this.#followers.has(job)));
    // Those that were there once and ended while nobody looked. One that never was may still be made.
    for (const job of this.#seen) if (!found.has(job)) this.#followers.get(job)?.(undefined);
    return versionOf(list);
  }

  #tell(pod: Readonly<Record<string, unknown>>, gone: boolean): void {
    const job = jobOf(pod);
    this.#seen.add(job);
    this.#followers.get(job)?.(gone ? undefined : stateOf(job, pod));
  }
}

const at = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value);

const textAt = (value: unknown, ...names: readonly string[]): string => {
  const found = at(value, ...names);
  return typeof found === 'string' ? found : '';
};

const versionOf = (object: unknown): string => textAt(object, 'metadata', 'resourceVersion');
const jobOf = (pod: unknown): string => textAt(pod, 'metadata', 'labels', 'job-name');

function stateOf(job: string, pod: unknown): PodState {
  const statuses = at(pod, 'status', 'containerStatuses');
  const [container] = Array.isArray(statuses) ? statuses : [];
  const terminated = at(container, 'state', 'terminated');
  const waiting = textAt(container, 'state', 'waiting', 'reason');
  const phase = textAt(pod, 'status', 'phase');
  const reason = textAt(terminated, 'reason') || textAt(pod, 'status', 'reason');
  const code = at(terminated, 'exitCode');
  const why =
    reason === 'OOMKilled' ? ', because it used more than its memory limit' : reason === '' ? '' : `, ${reason}`;
  const ended =
    isObject(terminated) || phase === 'Failed' || phase === 'Succeeded'
      ? {
          text: `the pod of the function ended (${typeof code === 'number' ? `exit code ${code}` : phase}${why})`,
          lastWords: textAt(terminated, 'message').trim(),
        }
      : undefined;
  const address = textAt(pod, 'status', 'podIP');
  return {
    job,
    address: address === '' ? undefined : address,
    ended,
    stuck: HOPELESS.has(waiting)
      ? `${waiting}: ${textAt(container, 'state', 'waiting', 'message')}`.slice(0, 2000)
      : undefined,
  };
}
