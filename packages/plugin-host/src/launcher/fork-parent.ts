import { LaunchedProcess } from './helper-launcher.ts';
import { HelperProcess, type HelperProgram, type OpenOptions } from './helper-process.ts';
import type { Fork, LaunchSpec, PluginProcess } from './process-launcher.ts';

/** A process that forks others from itself: a helper that has loaded something that its children share. */
export class ForkParent {
  readonly #helper: HelperProcess;
  #children = 0;
  #idleSince = Date.now();

  /** @throws when it does not get ready, with its reason */
  static async open(program: HelperProgram, options: OpenOptions = {}): Promise<ForkParent> {
    return new ForkParent(await HelperProcess.open(program, options));
  }

  private constructor(helper: HelperProcess) {
    this.#helper = helper;
  }

  get pid(): number {
    return this.#helper.pid;
  }

  /** What it said of itself when it was ready. */
  get facts(): Readonly<Record<string, unknown>> {
    return this.#helper.facts;
  }

  /** Settles when it has ended, and its children with it. */
  get ended(): Promise<void> {
    return this.#helper.ended;
  }

  /** How many children of it run or are started. */
  get children(): number {
    return this.#children;
  }

  /** Since when no child of it runs; undefined while one does. Milliseconds since the epoch. */
  get idleSince(): number | undefined {
    return this.#children > 0 ? undefined : this.#idleSince;
  }

  /** @param spec its cage is there: who shares memory with others is held in. @throws when the child could not be started; HelperGone */
  async launch(spec: LaunchSpec, fork: Fork): Promise<PluginProcess> {
    this.#children++;
    const ended = () => {
      this.#children--;
      this.#idleSince = Date.now();
    };
    try {
      const child = new LaunchedProcess(await this.#helper.launch(spec, fork));
      void child.exited.then(ended);
      return child;
    } catch (error) {
      ended();
      throw error;
    }
  }

  /** Ends it, with its children. */
  close(): Promise<void> {
    return this.#helper.close();
  }
}
