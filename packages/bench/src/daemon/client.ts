/** What Dify does with the daemon, for programs that need a few routes of it: upload, install, list, invoke, stream. */
import {
  DaemonClient as ApiClient,
  type DescribedPackage,
  type Installation,
  type InstallTask,
  operations,
} from '@plugin-daemon/client';

export { DaemonAnswerError, DEFAULT_TENANT as TENANT, type InstallTask } from '@plugin-daemon/client';
export type InstalledPlugin = Installation;
export type Uploaded = DescribedPackage;

export interface ClientOptions {
  readonly url: string;
  readonly key: string;
  readonly tenant?: string;
  /** ADMIN_API_KEY, for operators' operations. */
  readonly adminKey?: string;
}

const POLL_MS = 25;
const USER = 'user-1';

export class DaemonClient implements AsyncDisposable {
  /** Every operation of the API, typed. */
  readonly api: ApiClient;

  constructor(options: ClientOptions) {
    this.api = new ApiClient(options);
  }

  get url(): string {
    return this.api.url;
  }

  get key(): string {
    return this.api.key;
  }

  get tenant(): string {
    return this.api.tenant;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
  }

  /** `data` of the answer of any route below the tenant; a code other than 0 is thrown. */
  async call<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: Buffer | object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const raw = Buffer.isBuffer(body) || body === undefined;
    const answer = await this.api.send({
      method,
      path: `/plugin/${this.tenant}${path}`,
      headers: { 'X-Api-Key': this.key, ...(raw ? {} : { 'Content-Type': 'application/json' }), ...headers },
      body: raw ? body : JSON.stringify(body),
    });
    return answer as T; // what the caller knows of the route
  }

  async upload(packed: Buffer): Promise<Uploaded> {
    return await this.api.upload(packed);
  }

  /** Installs an uploaded package and waits for the task; `progress` sees each state of it. Throws what the task failed with. */
  async install(identifier: string, progress: (task: InstallTask) => void = () => {}): Promise<void> {
    await this.api.install(identifier, { progress, everyMs: POLL_MS });
  }

  async list(): Promise<readonly InstalledPlugin[]> {
    return (await this.api.call('listInstallations', { page: 1, page_size: 256 })).list;
  }

  async uninstall(installationId: string): Promise<void> {
    await this.api.call('uninstallPlugin', { body: { plugin_installation_id: installationId } });
  }

  /** Path, headers and body of a call of a plugin, for callers that send them themselves. `route` such as `tool/invoke`. */
  dispatchRequest(
    route: string,
    pluginId: string,
    data: unknown,
  ): { path: string; headers: Record<string, string>; body: string } {
    return {
      path: operations.invokeTool.path.replace('{tenant_id}', this.tenant).replace('tool/invoke', route),
      headers: { 'X-Api-Key': this.key, 'X-Plugin-ID': pluginId, 'Content-Type': 'application/json' },
      body: JSON.stringify({ user_id: USER, data }),
    };
  }

  /** Invokes a plugin and yields the `data` of every event; an error event is thrown. */
  invoke(route: string, pluginId: string, data: unknown, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    return this.api.events({ method: 'POST', ...this.dispatchRequest(route, pluginId, data) }, { signal });
  }
}
