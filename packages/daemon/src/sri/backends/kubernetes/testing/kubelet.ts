/** Plays the machines of a control plane that has none: binds pods to itself, runs them as processes, and tells how they are. */
import type { AskKubernetes } from '@plugin-daemon/services';
import { KubernetesApi, type KubernetesApiOptions } from '../api.ts';
import { type Container, PodProcess, type PodStatus } from './pod-process.ts';

const NODE = 'kubelet-of-the-tests';

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly [Container] };
}

export class Kubelet {
  /** What was refused, or went wrong. */
  readonly troubles: string[] = [];
  readonly #api: KubernetesApi;
  readonly #ask: AskKubernetes;
  readonly #pods: string;
  readonly #closed = new AbortController();
  readonly #processes = new Map<string, PodProcess>();
  readonly #work = new Set<Promise<void>>();
  #following: Promise<void> | undefined;
  #addresses = 1;

  /** Both speak for somebody who may do everything. */
  constructor(api: KubernetesApiOptions, ask: AskKubernetes) {
    this.#api = new KubernetesApi(api);
    this.#ask = ask;
    this.#pods = this.#api.path('/api/v1', 'pods');
  }

  start(): void {
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#following;
    for (const process of this.#processes.values()) process.kill('SIGKILL');
    await Promise.allSettled(this.#work);
    await this.#api.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const list = (await this.#api.get(this.#pods, signal)) as unknown as PodList;
        for (const pod of list.items) this.#seen(pod);
        await this.#api.watch(this.#pods, list.metadata.resourceVersion, signal, ({ type, object }) => {
          if (type === 'ADDED' || type === 'MODIFIED') this.#seen(object as unknown as PodObject);
        });
      } catch (error) {
        if (!signal.aborted) this.troubles.push(String(error));
      }
    }
  }

  #seen(pod: PodObject): void {
    const { name, deletionTimestamp } = pod.metadata;
    const process = this.#processes.get(name);
    if (deletionTimestamp !== undefined) {
      if (process === undefined) return this.#do(() => this.#forget(name));
      process.kill('SIGTERM');
      return this.#do(async () => {
        await process.ended;
        this.#processes.delete(name);
        await this.#forget(name);
      });
    }
    if (process !== undefined || pod.spec.nodeName !== undefined) return undefined;
    return this.#run(pod);
  }

  #run(pod: PodObject): void {
    const { name } = pod.metadata;
    const bound = this.#ask('POST', `${this.#pods}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { apiVersion: 'v1', kind: 'Node', name: NODE },
    });
    // In the order in which they are told.
    let telling: Promise<unknown> = bound;
    const ip = `127.0.2.${this.#addresses++}`;
    const told = (status: PodStatus): void => {
      telling = telling.then(() => this.#ask('PATCH', `${this.#pods}/${name}/status`, { status }));
      this.#do(async () => void (await telling));
    };
    this.#processes.set(name, new PodProcess(pod.spec.containers[0], ip, told));
  }

  async #forget(name: string): Promise<void> {
    await this.#ask('DELETE', `${this.#pods}/${name}`, {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
    });
  }

  #do(work: () => Promise<void>): void {
    const done = work()
      .catch((error: unknown) => {
        // A pod may be gone before it is spoken of.
        if (!String(error).includes(' 404 ')) this.troubles.push(String(error));
      })
      .finally(() => this.#work.delete(done));
    this.#work.add(done);
  }
}

interface PodList {
  readonly items: readonly PodObject[];
  readonly metadata: { readonly resourceVersion: string };
}
