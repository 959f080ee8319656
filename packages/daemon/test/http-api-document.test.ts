/** Every command of docs/http-api.md, in its order, against a daemon at work. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonClient, DaemonProcess, folderPackage, startFakeDify } from '@plugin-daemon/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runScript } from './run-script.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TENANT = '11111111-1111-4111-8111-111111111111';
const TOOLS = ['bash', 'curl', 'jq', 'zip'];
const lacking = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (lacking.length > 0) console.log(`the commands of docs/http-api.md are not tried: ${lacking.join(', ')} missing`);

const blocks = [...readFileSync(join(ROOT, 'docs/http-api.md'), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', text = '']) => ({ language, text }),
);
/** What it takes to start a daemon or a debugger, and the variables, are the test's own. */
const commands = blocks.filter(
  ({ language, text }) => language === 'sh' && !/npm start|^D=|python -m main/m.test(text),
);

let directory: string;
let dify: Awaited<ReturnType<typeof startFakeDify>>;
let daemon: DaemonProcess;
let notes: string;

beforeAll(async () => {
  if (lacking.length > 0) return;
  directory = mkdtempSync(join(tmpdir(), 'http-api-'));
  dify = await startFakeDify({ key: 'inner' });
  daemon = await DaemonProcess.start({ innerApi: { url: dify.url, key: 'inner' } });
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key, tenant: TENANT });
  notes = (await client.upload(folderPackage(join(ROOT, 'examples/endpoint-notes')))).unique_identifier;
  await client.install(notes);
});

afterAll(async () => {
  await daemon?.close();
  await dify?.close();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** After a block that starts a task, what the text says: ask again until it is done. */
const wait =
  'until [ "$(curl -s -H "X-Api-Key: $KEY" $P/management/install/tasks/$TASK | jq -r .data.status)" = success ]; do sleep 0.2; done';

test.skipIf(lacking.length > 0)('the commands work', async () => {
  const script = [
    'set -euo pipefail',
    `D=${daemon.url} KEY=${daemon.key} T=${TENANT}`,
    'P=$D/plugin/$T',
    ...commands.flatMap(({ text }, i) => [
      `printf '\\n=== %s\\n' ${i}`,
      text.includes('endpoint/setup') ? `ID=${notes}` : '',
      text.replaceAll('/tmp/', `${directory}/`),
      text.includes('TASK=') ? wait : '',
    ]),
  ].join('\n');
  const { code, stdout, stderr } = await runScript('bash', ['-c', script], ROOT);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const outputs = stdout.split(/\n=== \d+\n/).slice(1);
  const of = (part: string) => outputs[commands.findIndex(({ text }) => text.includes(part))];
  expect(outputs).toHaveLength(commands.length);
  expect(of('upload/package')).toMatch(/^examples\/text_report:0\.1\.0@[0-9a-f]{64}\n$/);
  expect(of('-d \'{"user_id":"me","data"')).toContain('"text":"7 words in 1 sentences.\\n"');
  expect(of('/v2/invoke')).toContain('"text":"2 words in 1 sentences.\\n"');
  expect(of('--unbuffered')).toMatch(/^2 words in 1 sentences\.\n/);
  expect(of('"provider":"nope"')).toContain('"error_type": "');
  expect(of('/management/tools')).toContain('["examples/text_report","text_report",["report"]]');
  expect(of('/management/uninstall')).toContain('"data":true');
  expect(of('endpoint/setup')).toMatch(/"data":true\}kept\nbuy milk/);
});

test.skipIf(lacking.length > 0)('so does the program', async () => {
  const program = blocks.find(({ language }) => language === 'ts')?.text ?? '';
  const own = program.replaceAll('/tmp/', `${directory}/`).replace('http://127.0.0.1:5002', daemon.url);
  const { code, stdout, stderr } = await runScript(
    process.execPath,
    ['--input-type=module-typescript', '-e', own],
    join(ROOT, 'packages/bench'),
    { KEY: daemon.key },
  );
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^installed$[\s\S]*^text$[\s\S]*^json$/m);
});
