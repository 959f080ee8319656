/**
 * An API server for tests: it holds requests to what a real one demands (paths, media types, server-side apply, watches by version), and
 * runs the pods of jobs as processes of this machine, each on an address of the loopback of its own.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Container, PodProcess, type PodStatus } from './pod-process.ts';

export const TOKEN = 'token-of-the-service-account';
const NAMESPACE = 'functions';

interface Pod {
  readonly name: string;
  readonly job: string;
  readonly labels: Record<string, string>;
  status: PodStatus;
  version: number;
  process?: PodProcess;
}

interface JobBody {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
  };
}

export class FakeCluster {
  /** What a real server would have refused. */
  readonly violations: string[] = [];
  /** Bodies that were applied, by path. */
  readonly applied = new Map<string, unknown>();
  readonly pods = new Map<string, Pod>();
  #version = 100;
  /** Changes before this version are forgotten. */
  #oldest = 100;
  readonly #history: {
    readonly version: number;
    readonly type: string;
    readonly object: object;
    readonly labels: Record<string, string>;
  }[] = [];
  readonly #watchers = new Set<{ readonly response: ServerResponse; readonly selector: readonly [string, string] }>();
  readonly #server: Server;
  #addresses = 1;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.violations.push(String(error));
        response.destroy();
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    for (const pod of this.pods.values()) pod.process?.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends every watch, as clusters do now and then. */
  cutWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Forgets what has changed so far: who watches from an earlier version has to list again. */
  forget(): void {
    this.#oldest = this.#version + 1;
    this.cutWatches();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://cluster');
    const answer = (status: number, value: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    const refuse = (status: number, message: string): void => {
      this.violations.push(`${request.method} ${request.url}: ${message}`);
      answer(status, { kind: 'Status', status: 'Failure', code: status, message });
    };
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, 'Unauthorized');
    const match = /^\/apis?\/([a-z0-9./]+)\/namespaces\/([^/]+)\/([a-z]+)(?:\/([a-z0-9-]+))?$/.exec(url.pathname);
    const [, group, namespace, kind, name] = match ?? [];
    if (namespace !== NAMESPACE) return refuse(404, 'the server could not find the requested resource');
    const label = (url.searchParams.get('labelSelector') ?? '').split('=');
    const selector = [label[0] ?? '', label[1] ?? ''] as const;
    const route = `${request.method} ${group}/${kind}${name === undefined ? '' : '/name'}`;
    switch (route) {
      case 'PATCH batch/v1/jobs/name':
      case 'PATCH networking.k8s.io/v1/networkpolicies/name': {
        if (request.headers['content-type'] !== 'application/apply-patch+yaml')
          return refuse(415, 'unsupported media type');
        if (!url.searchParams.get('fieldManager')) return refuse(400, 'fieldManager is required for apply patch');
        const object = JSON.parse(body);
        const wanted = kind === 'jobs' ? ['batch/v1', 'Job'] : ['networking.k8s.io/v1', 'NetworkPolicy'];
        if (object.apiVersion !== wanted[0] || object.kind !== wanted[1])
          return refuse(400, 'kind and apiVersion do not fit the path');
        if (object.metadata?.name !== name) return refuse(400, 'the name of the object does not match the path');
        if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(String(name))) return refuse(422, 'invalid name');
        const isNew = !this.applied.has(url.pathname);
        this.applied.set(url.pathname, object);
        if (kind === 'jobs' && isNew) this.#createPod(object);
        return answer(isNew ? 201 : 200, object);
      }
      case 'GET batch/v1/jobs':
        return answer(200, { kind: 'JobList', items: [], metadata: { resourceVersion: String(this.#version) } });
      case 'DELETE batch/v1/jobs/name': {
        if (!this.applied.delete(url.pathname)) return answer(404, { code: 404, message: 'not found' });
        this.#deletePods((pod) => pod.job === name);
        return answer(200, { kind: 'Status', status: 'Success' });
      }
      case 'DELETE batch/v1/jobs':
        if (selector[0] === '') return refuse(400, 'everything would be deleted');
        this.#deletePods((pod) => pod.labels[selector[0]] === selector[1]);
        return answer(200, { kind: 'Status', status: 'Success' });
      case 'GET v1/pods': {
        const version = url.searchParams.get('resourceVersion');
        if (url.searchParams.get('watch') !== 'true') {
          const items = [...this.pods.values()]
            .filter((pod) => pod.labels[selector[0]] === selector[1])
            .map((pod) => objectOf(pod));
          return answer(200, { kind: 'PodList', items, metadata: { resourceVersion: String(this.#version) } });
        }
        if (version === null) return refuse(400, 'a watch without a version');
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.flushHeaders();
        if (Number(version) + 1 < this.#oldest) {
          const object = { kind: 'Status', code: 410, message: 'too old resource version' };
          response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
          return undefined;
        }
        for (const { version: at, type, object, labels } of this.#history)
          if (at > Number(version) && labels[selector[0]] === selector[1])
            response.write(`${JSON.stringify({ type, object })}\n`);
        const watcher = { response, selector };
        this.#watchers.add(watcher);
        response.once('close', () => this.#watchers.delete(watcher));
        return undefined;
      }
      default:
        return refuse(404, 'the server could not find the requested resource');
    }
  }

  #createPod(job: JobBody): void {
    const { spec, metadata } = job.spec.template;
    const pod: Pod = {
      name: `${job.metadata.name}-abcde`,
      job: job.metadata.name,
      labels: { ...metadata.labels, 'job-name': job.metadata.name },
      status: { phase: 'Pending' },
      version: 0,
    };
    this.pods.set(pod.name, pod);
    this.#tell('ADDED', pod);
    const [container] = spec.containers;
    pod.process = new PodProcess(container, `127.0.1.${this.#addresses++}`, (status) => {
      pod.status = status;
      if (this.pods.has(pod.name)) this.#tell('MODIFIED', pod);
    });
  }

  #deletePods(which: (pod: Pod) => boolean): void {
    for (const pod of [...this.pods.values()].filter(which)) {
      const gone = () => {
        if (this.pods.delete(pod.name)) this.#tell('DELETED', pod);
      };
      void pod.process?.ended.then(gone);
      pod.process?.kill('SIGTERM');
    }
  }

  #tell(type: string, pod: Pod): void {
    pod.version = ++this.#version;
    const event = { version: pod.version, type, object: objectOf(pod), labels: pod.labels };
    this.#history.push(event);
    for (const { response, selector } of this.#watchers)
      if (pod.labels[selector[0]] === selector[1])
        response.write(`${JSON.stringify({ type, object: event.object })}\n`);
  }
}

const objectOf = ({ name, labels, status, version }: Pod): object => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name, namespace: NAMESPACE, labels, resourceVersion: String(version) },
  status,
});
