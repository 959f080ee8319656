/** The signing flow of the guide, word for word, with a real daemon that demands signatures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { DaemonProcess } from '@plugin-daemon/bench';
import { expect, onTestFinished, test } from 'vitest';
import { difyProcess, newPlugin, temporaryFolder } from './harness.ts';

const GUIDE = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'cli-guide.md'), 'utf8');
const section = GUIDE.slice(GUIDE.indexOf('## Signing'), GUIDE.indexOf('## Scripts and CI'));
const [commands = '', settings = '', install = ''] = [...section.matchAll(/```bash\n([^`]*)```/g)].map(
  (match) => match[1],
);

const argumentsOf = (line: string): string[] => line.replace(/#.*/, '').trim().split(/\s+/).slice(1);

test('the documented signing flow works as written', { timeout: 300_000 }, async () => {
  const cwd = temporaryFolder();
  const { PATH, HOME } = process.env;
  await newPlugin(cwd, 'weather');
  expect(await difyProcess(['plugin', 'package', 'weather'], { cwd })).toMatchObject({ code: 0 });
  for (const line of commands.trim().split('\n')) {
    expect(line).toMatch(/^dify signature /);
    const run = await difyProcess(argumentsOf(line), { cwd });
    expect(run.code, `${line}\n${run.stderr}`).toBe(0);
  }
  const named = parseEnv(settings);
  const keys = 'THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS';
  const daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'inner-key' },
    settings: {
      ...Object.fromEntries(Object.entries(named).map(([name, value]) => [name, value ?? ''])),
      [keys]: join(cwd, named[keys] ?? ''),
      FORCE_VERIFYING_SIGNATURE: 'true',
      PYTHON_ENV_INIT_TIMEOUT: '240',
    },
  });
  onTestFinished(() => daemon.close());
  const env = { PATH, HOME, DIFY_PLUGIN_DAEMON_URL: daemon.url, DIFY_PLUGIN_DAEMON_KEY: daemon.key };
  const signed = await difyProcess(argumentsOf(install), { cwd, env });
  expect(signed.code, signed.stderr).toBe(0);
  const list = await difyProcess(['plugin', 'list', '--json'], { cwd, env });
  expect(JSON.parse(list.stdout).plugins).toMatchObject([{ plugin_id: 'acme/weather', verified: true }]);
  const unsigned = await difyProcess(['plugin', 'install', 'weather.difypkg', '--json'], { cwd, env });
  expect(unsigned.code).toBe(1);
  expect(JSON.parse(unsigned.stdout).error.message).toContain('bad signature: it is not signed');
});
