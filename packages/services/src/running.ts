import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { areServersLeftOut, findExecutable } from './executables.ts';
import type { RunningService } from './service.ts';
import { type ServiceName, services } from './table.ts';
import { createTlsFiles } from './tls.ts';

/** Executables of a service that are not there, or are to count as such. */
export function missing(name: ServiceName): readonly string[] {
  const spec = services[name];
  const before = (spec.after ?? []).flatMap((other) => services[other as ServiceName].needs);
  const needed = [...new Set([...before, ...spec.needs])];
  return areServersLeftOut() ? needed : needed.filter((program) => findExecutable(program) === undefined);
}

/** Services that run, in a directory that goes with them. */
export class RunningServices implements AsyncDisposable {
  readonly #directory: string;
  readonly #running = new Map<string, RunningService>();

  private constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'services-'));
    // Servers run as users of their own.
    chmodSync(this.#directory, 0o755);
  }

  /** Starts them, with those they need, in the order of the table. */
  static async start(names: readonly ServiceName[], onStarted: (name: string) => void = () => undefined) {
    const all = new RunningServices();
    try {
      const tls = createTlsFiles(join(all.#directory, 'tls'));
      const wanted = new Set<string>(names.flatMap((name) => [...(services[name].after ?? []), name]));
      for (const [name, spec] of Object.entries(services)) {
        if (!wanted.has(name)) continue;
        const directory = join(all.#directory, name);
        mkdirSync(directory);
        all.#running.set(name, await spec.start({ directory, tls, running: all.#running }));
        onStarted(name);
      }
      return all;
    } catch (error) {
      await all.close();
      throw error;
    }
  }

  get(name: ServiceName): RunningService {
    const found = this.#running.get(name);
    if (found === undefined) throw new Error(`${name} was not started`);
    return found;
  }

  get environment(): Readonly<Record<string, string>> {
    return Object.assign({}, ...[...this.#running.values()].map((service) => service.environment));
  }

  async close(): Promise<void> {
    for (const { processes } of [...this.#running.values()].toReversed()) {
      for (const process of processes.toReversed()) await process.stop();
    }
    this.#running.clear();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
