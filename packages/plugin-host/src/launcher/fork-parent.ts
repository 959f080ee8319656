import { LaunchedProcess } from './helper-launcher.ts';
import { HelperProcess, type HelperProgram, type HelperTemplate, type OpenOptions } from './helper-process.ts';
import type { Fork, LaunchSpec, PluginProcess } from './process-launcher.ts';
import type { Template, TemplateOutcome } from './template.ts';

/** What a parent has forked. */
export interface Forked {
  readonly process: PluginProcess;
  /** Where it was asked to become a template: whether it has. Settles before it is ready, or with its end; never rejects. */
  readonly outcome: Promise<TemplateOutcome>;
}

/** A process that forks others from itself: a helper that has loaded something that its children share. */
export class ForkParent {
  readonly #helper: HelperProcess;
  #children = 0;
  #idleSince = Date.now();
  #gone = false;

  /** @throws when it does not get ready, with its reason */
  static async open(program: HelperProgram, options: OpenOptions = {}): Promise<ForkParent> {
    return new ForkParent(await HelperProcess.open(program, options));
  }

  private constructor(helper: HelperProcess) {
    this.#helper = helper;
    void helper.ended.then(() => {
      this.#gone = true;
    });
  }

  get pid(): number {
    return this.#helper.pid;
  }

  /** Whether it has ended, and its children with it. */
  get isGone(): boolean {
    return this.#gone;
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
  async launch(spec: LaunchSpec, fork: Fork): Promise<Forked> {
    this.#children++;
    const ended = () => {
      this.#children--;
      this.#idleSince = Date.now();
    };
    try {
      const started = await this.#helper.launch(spec, fork);
      const child = new LaunchedProcess(started);
      void child.left.then(ended);
      return { process: child, outcome: this.#outcome(started.outcome) };
    } catch (error) {
      ended();
      throw error;
    }
  }

  async #outcome(outcome: Promise<HelperTemplate | string> | undefined): Promise<TemplateOutcome> {
    const became = (await outcome) ?? 'it was not asked to';
    return typeof became === 'string' ? { declined: became } : { template: new ForkTemplate(this.#helper, became) };
  }

  /** Ends it, with its children. */
  close(): Promise<void> {
    return this.#helper.close();
  }
}

class ForkTemplate implements Template {
  readonly #helper: HelperProcess;
  readonly #of: HelperTemplate;
  #gone = false;

  constructor(helper: HelperProcess, of: HelperTemplate) {
    this.#helper = helper;
    this.#of = of;
    void of.gone.then(() => {
      this.#gone = true;
    });
  }

  get pid(): number {
    return this.#of.pid;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  get gone(): Promise<void> {
    return this.#of.gone;
  }

  async launch(spec: LaunchSpec): Promise<PluginProcess> {
    return new LaunchedProcess(await this.#helper.launchFrom(this.#of, spec));
  }

  end(): void {
    // Its shepherd keeps its number until it has told of the end.
    if (this.#gone) return;
    try {
      process.kill(this.#of.pid, 'SIGKILL');
    } catch {
      // ended already
    }
  }
}
