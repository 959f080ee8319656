import type { DependencyFacts, InstallPlan } from './dependencies/index.ts';
import type { EnvironmentOutcome, PrepareRequest } from './options.ts';
import type { PythonInterpreter } from './python-discovery.ts';
import type { SdkState } from './sdk-patches/index.ts';
import {
  type EnvironmentStore,
  type KnownCircumstances,
  packageKey,
  planKey,
  type StoredEnvironment,
} from './store/index.ts';
import type { WorkingDirectory } from './working-directory.ts';

export interface SharingParts {
  readonly store: EnvironmentStore;
  readonly directory: WorkingDirectory;
  readonly request: PrepareRequest;
  readonly circumstances: KnownCircumstances;
  /** How long the outcome of a resolution holds; milliseconds. */
  readonly resolutionMs: number;
  readonly note: (text: string) => void;
}

/** An environment that was made in a place of its own, and that nobody has seen yet. */
export interface Made {
  readonly python: PythonInterpreter;
  readonly sdk: SdkState;
  /** pyvenv.cfg as it was before anything was installed. */
  readonly configuration: string;
  /** What can be done while its files are read. */
  readonly meanwhile: () => Promise<void>;
}

export interface Shared {
  readonly stored: StoredEnvironment;
  readonly outcome: EnvironmentOutcome;
}

/** How the environment of one plugin comes to be one of the store: found by what the package asks for, or made for all who ask for the same. */
export class EnvironmentSharing {
  readonly #parts: SharingParts;
  readonly #requests: string[] = [];

  constructor(parts: SharingParts) {
    this.#parts = parts;
  }

  /** By the package's files, none of which has to be understood for it. */
  async byPackage(): Promise<Shared | undefined> {
    const { directory, request, circumstances } = this.#parts;
    const key = await packageKey(directory.path, request.runner?.entrypoint ?? 'main', circumstances);
    if (key === undefined) return undefined;
    this.#requests.push(key);
    return await this.#take();
  }

  /** By what the package asks for; made when it is not there, once for all who wait for it. */
  async byPlan(facts: DependencyFacts, plan: InstallPlan, make: (staging: string) => Promise<Made>): Promise<Shared> {
    const { store, circumstances, request } = this.#parts;
    const key = planKey(facts, plan, circumstances);
    // What is no request of the plan's is none of the package's either.
    if (key === undefined) this.#requests.length = 0;
    else this.#requests.unshift(key);
    const forMs = plan.kind === 'requirements' && !plan.vendored ? this.#parts.resolutionMs : undefined;
    const known = await this.#take();
    if (known !== undefined) {
      await store.remember(this.#requests, known.stored.key, forMs);
      return known;
    }
    if (key === undefined) return await this.#make(forMs, make);
    const onWait = () => request.onProgress('waiting for another installation of the same dependencies');
    return await store.asking(key, { signal: request.signal, onWait }, async () => {
      return (await this.#take()) ?? (await this.#make(forMs, make));
    });
  }

  async #take(): Promise<Shared | undefined> {
    const stored = await this.#parts.store.find(this.#requests);
    if (stored === undefined || !(await this.#attach(stored))) return undefined;
    this.#parts.note(`the environment ${stored.key} has what is asked for`);
    return { stored, outcome: 'known' };
  }

  async #make(forMs: number | undefined, make: (staging: string) => Promise<Made>): Promise<Shared> {
    const { store, directory, request, note } = this.#parts;
    const { signal } = request;
    const staging = await store.staging(request.identifier);
    try {
      const { python, sdk, configuration, meanwhile } = await make(staging);
      const own = directory.environment;
      const made = { staging, interpreter: python, sdk, configuration, meanwhile, own, signal };
      const { stored, outcome } = await store.publish(made);
      note(`it is the environment ${stored.key} (${outcome})`);
      await store.remember(this.#requests, stored.key, forMs);
      return { stored, outcome };
    } finally {
      await store.discard(staging);
    }
  }

  async #attach({ key }: StoredEnvironment): Promise<boolean> {
    const { store, directory, request } = this.#parts;
    await directory.removeEnvironment();
    return await store.attach(key, directory.environment, request.signal);
  }
}
