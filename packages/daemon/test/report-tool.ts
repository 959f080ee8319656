/** The example plugin with a tool of a test's own in place of its report: how it is packaged, and how it is called. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { folderPackage } from '@plugin-daemon/bench';
import { EventStream, eventually, ONE, type TestDaemon, temporaryDirectory } from './harness.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/tool-text-report/', import.meta.url));

const NAME = 'text_report';

/** @param source the Python of the tool; `name` is that of the plugin */
export function reportToolPackage(source: string, name = NAME): Buffer {
  using folder = temporaryDirectory();
  cpSync(EXAMPLE, folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'tools/report.py'), source);
  return folderPackage(folder.path, { name });
}

/** @param name of a file in `plugins/` */
export const toolSource = (name: string): string => readFileSync(new URL(`./plugins/${name}`, import.meta.url), 'utf8');

/** The call of it, for those who end it themselves. */
export const reportRequest = (text: string, name = NAME) => ({
  headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `examples/${name}` },
  body: JSON.stringify({
    user_id: 'u',
    data: { provider: 'text_report', tool: 'report', tool_parameters: { text }, credentials: {} },
  }),
});

export const REPORT = `/plugin/${ONE}/dispatch/tool/invoke`;

/** Its answer, whole. */
export async function report(daemon: TestDaemon, text: string, name = NAME): Promise<EventStream> {
  const response = await daemon.request('POST', REPORT, reportRequest(text, name));
  const stream = new EventStream(response, false);
  await stream.done;
  return stream;
}

/** The text it answered with, or how it failed. */
export async function reported(daemon: TestDaemon, text: string, name = NAME): Promise<string> {
  const { texts, received } = await report(daemon, text, name);
  return texts[0] ?? `failed: ${received.slice(0, 1000)}`;
}

/** Calls of a plugin on the SDK that has nothing to do with the one that does harm, one after the other. */
export class Bystander {
  static readonly #NAME = 'bystander';
  readonly #daemon: TestDaemon;
  readonly #over = new AbortController();
  readonly #done: Promise<void>;
  readonly #failed: string[] = [];
  #answered = 0;

  static async install(daemon: TestDaemon): Promise<void> {
    await daemon.install(reportToolPackage(toolSource('self_report.py'), Bystander.#NAME));
  }

  constructor(daemon: TestDaemon) {
    this.#daemon = daemon;
    this.#done = this.#call();
  }

  /** @returns what of its calls failed, once one more has been answered */
  async end(): Promise<readonly string[]> {
    const before = this.#answered + this.#failed.length;
    await eventually('it is called once more', () => this.#answered + this.#failed.length > before || undefined);
    this.#over.abort();
    await this.#done;
    return this.#failed;
  }

  async #call(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const said = await reported(this.#daemon, 'random', Bystander.#NAME).catch(
        (error: unknown) => `failed: ${String(error)}`,
      );
      if (/^0\.|^\d(\.\d+)?e-/.test(said)) this.#answered++;
      else this.#failed.push(said);
      await sleep(CALL_PAUSE_MS);
    }
  }
}

const CALL_PAUSE_MS = 20;
