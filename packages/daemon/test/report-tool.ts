/** The example plugin with a tool of a test's own in place of its report: how it is packaged, and how it is called. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderPackage } from '@plugin-daemon/bench';
import { EventStream, ONE, type TestDaemon, temporaryDirectory } from './harness.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/tool-text-report/', import.meta.url));

/** @param source the Python of the tool */
export function reportToolPackage(source: string): Buffer {
  using folder = temporaryDirectory();
  cpSync(EXAMPLE, folder.path, { recursive: true });
  writeFileSync(join(folder.path, 'tools/report.py'), source);
  return folderPackage(folder.path);
}

/** @param name of a file in `plugins/` */
export const toolSource = (name: string): string => readFileSync(new URL(`./plugins/${name}`, import.meta.url), 'utf8');

/** The call of it, for those who end it themselves. */
export const reportRequest = (text: string) => ({
  headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'examples/text_report' },
  body: JSON.stringify({
    user_id: 'u',
    data: { provider: 'text_report', tool: 'report', tool_parameters: { text }, credentials: {} },
  }),
});

export const REPORT = `/plugin/${ONE}/dispatch/tool/invoke`;

/** Its answer, whole. */
export async function report(daemon: TestDaemon, text: string): Promise<EventStream> {
  const response = await daemon.request('POST', REPORT, reportRequest(text));
  const stream = new EventStream(response, false);
  await stream.done;
  return stream;
}

/** The text it answered with, or how it failed. */
export async function reported(daemon: TestDaemon, text: string): Promise<string> {
  const { texts, received } = await report(daemon, text);
  return texts[0] ?? `failed: ${received.slice(0, 1000)}`;
}
