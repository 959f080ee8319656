/** What an operator sees of a whole daemon: where it listens, how it stops, what a check finds, what it writes down. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, keptUv, ONE, runToEnd, TestDaemon, temporaryDirectory } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
});

afterAll(async () => {
  await daemon?.close();
});

/** How this machine reaches its package index. */
const network = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && /^(UV_(DEFAULT_)?INDEX.*|SSL_CERT_.*|.*_PROXY)$/i.test(name) ? [[name, value]] : [],
    ),
  );

const findings = (output: string) =>
  output
    .trim()
    .split('\n')
    .map((line): { part: string; verdict: string; detail: string; remedy?: string } => JSON.parse(line));

test('the banner tells what is bound, and the log when it listens and has stopped', async () => {
  const started = await TestDaemon.start({ settings: { SERVER_HOST: '0.0.0.0' } });
  const { url, debuggingPort } = started.process;
  const port = new URL(url).port;
  const text = await eventually('the banner', () =>
    started.process.logTail(100).includes('listening') ? started.process.logTail(100) : undefined,
  );
  expect(text).toContain(`0.0.0.0:${port}, every interface`);
  expect(text).toContain(`127.0.0.1:${debuggingPort}, this machine only`);
  expect(text).toContain(`${url}/docs`);
  expect(text).toContain(`ENDPOINT_URL_TEMPLATE=${url}/e/{hook_id}`);
  await started.process.stop();
  expect(started.process.logTail(3)).toMatch(/stopping: .*open_calls=0 limit_seconds=30\n.* stopped$/);
  await started.close();
});

test('a key alone opens the server, and that is said', async () => {
  using directory = temporaryDirectory();
  // The check reads settings as a start does, and binds nothing.
  const settings = {
    DATA_DIR: join(directory.path, 'data'),
    SERVER_KEY: 'short',
    LOG_OUTPUT_FORMAT: 'json',
    ...keptUv(),
  };
  const { output } = await runToEnd(settings, directory.path, ['--check']);
  const warnings = findings(output).filter(({ verdict }) => verdict === 'warning');
  expect(warnings.map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/listens on 0\.0\.0\.0.*SERVER_HOST/),
    expect.stringContaining('SHORT KEY'),
  ]);
  expect(output).not.toContain('=short');
});

test('with LOG_OUTPUT_FORMAT=json stdout holds JSON alone, from start to end', async () => {
  const started = await TestDaemon.start({ settings: { LOG_OUTPUT_FORMAT: 'json' } });
  await started.answer('GET', '/health/check');
  await started.process.stop();
  const lines = readFileSync(started.process.logFile, 'utf8').trim().split('\n');
  const messages = lines.map((line): unknown => JSON.parse(line).message);
  expect(messages[0]).toBe('listening');
  expect(messages.at(-1)).toBe('stopped');
  await started.close();
});

test('a check finds all that a start needs, and leaves nothing behind', async () => {
  using directory = temporaryDirectory();
  const settings = { ...network(), LOG_OUTPUT_FORMAT: 'json', ...keptUv() };
  const { code, output } = await runToEnd(settings, directory.path, ['--check']);
  expect(findings(output).map(({ part, verdict }) => [part, verdict])).toEqual([
    ['settings', 'ok'],
    ['data directory', 'ok'],
    ['storage', 'ok'],
    ['database', 'ok'],
    ['uv', 'ok'],
    ['Python', 'ok'],
    ['package index', 'ok'],
  ]);
  expect(code).toBe(0);
  expect(readdirSync(directory.path)).toEqual([]);
});

test('a check names what is wrong, and its exit status says so', async () => {
  using directory = temporaryDirectory();
  const settings = {
    LOG_OUTPUT_FORMAT: 'json',
    PIP_MIRROR_URL: 'http://user:a-password@127.0.0.1:9/simple',
    SERVR_PORT: '1',
    PLUGIN_POLICY_FILE: join(directory.path, 'policies.json'),
    ...keptUv(),
  };
  writeFileSync(settings.PLUGIN_POLICY_FILE, '{ "acme/a": { "mni": 1 } }');
  const { code, output } = await runToEnd(settings, directory.path, ['--check']);
  expect(code).toBe(1);
  expect(output).toMatch(/SERVR_PORT.*SERVER_PORT/);
  expect(findings(output).filter(({ verdict }) => verdict === 'failed')).toEqual([
    { part: 'plugin policies', verdict: 'failed', detail: expect.stringContaining('acme/a: mni is no field') },
    {
      part: 'package index',
      verdict: 'failed',
      detail: expect.any(String),
      remedy: expect.stringContaining('PIP_MIRROR_URL'),
    },
  ]);
  expect(output).not.toContain('a-password');
  const wrong = await runToEnd({ PYTHON_INTERPRETER_PATH: '/nonexistent/python' }, directory.path, ['--check']);
  expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('PYTHON_INTERPRETER_PATH')]);
  expect((await runToEnd({}, directory.path, ['--chekc'])).code).toBe(2);
});

test('a check beside a running daemon leaves it in peace', async () => {
  using directory = temporaryDirectory();
  const settings = {
    ...network(),
    LOG_OUTPUT_FORMAT: 'json',
    DATA_DIR: daemon.process.dataDirectory,
    ...keptUv(),
  };
  const { code, output } = await runToEnd(settings, directory.path, ['--check']);
  expect(findings(output)).toContainEqual(expect.objectContaining({ part: 'data directory', verdict: 'warning' }));
  expect(code).toBe(0);
  const ready = await daemon.answer('GET', '/readyz');
  expect(ready.status, ready.text).toBe(200);
  expect(existsSync(join(daemon.process.dataDirectory, 'daemon.sqlite'))).toBe(true);
});

test('a start with a program that is not there is refused', async () => {
  using directory = temporaryDirectory();
  const { code, output } = await runToEnd({ PYTHON_INTERPRETER_PATH: '/nonexistent/python' }, directory.path);
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/PYTHON_INTERPRETER_PATH=\/nonexistent\/python: does not exist/),
  ]);
});

test('a stop tells of open calls, and a second signal ends them', async () => {
  const started = await TestDaemon.start();
  await started.install(rudePackage('slow'));
  const stream = await started.open('slow', 'drip', { parameters: { count: 1000, seconds: 0.1 } });
  await stream.text(0);
  process.kill(started.process.pid, 'SIGTERM');
  await started.logged('stopping: open calls may finish');
  expect(started.log).toMatch(/stopping: .*open_calls=1/);
  process.kill(started.process.pid, 'SIGTERM');
  await stream.done;
  expect(stream.failure.message).toContain('the daemon is stopping');
  await started.logged('second signal: open calls are ended now');
  await started.process.stop();
  expect(started.log).toMatch(/ stopped$/);
  await started.close();
});

test('a call whose client leaves stands in the log and counts like others', async () => {
  await daemon.install(rudePackage('left'));
  const stream = await daemon.open('left', 'hang');
  await stream.text(0);
  stream.leave();
  const line = await eventually(
    'its line',
    () => /HTTP request .*dispatch.*complete=false/.exec(daemon.process.logTail(1000))?.[0],
  );
  expect(line).toContain('path=/plugin/:tenant_id/dispatch/tool/invoke status=200');
  expect(
    await daemon.metric('plugin_http_requests_total', {
      endpoint: '/plugin/:tenant_id/dispatch/tool/invoke',
      status: '200',
    }),
  ).toBe(1);
});

test('the log names routes, not paths and queries of strangers', async () => {
  await daemon.answer('GET', '/e/ahookthatnobodymayknow/path?token=a-token', { key: false });
  await daemon.answer('GET', '/no/such/route%0a2026-01-01T00:00:00.000Z%20INFO?key=a-key', { key: false });
  const lines = await eventually('both lines', () => {
    const found = daemon.process
      .logTail(1000)
      .split('\n')
      .filter((line) => line.includes('HTTP request'));
    return found.some((line) => line.includes('(no route)')) ? found : undefined;
  });
  expect(lines.join('\n')).toContain('path=/e/:hook_id');
  expect(daemon.process.logTail(1000)).not.toMatch(/ahookthat|a-token|a-key|no\/such/);
});

test('who installed, rotated and removed stands in the audit log, in the file and in the database', async () => {
  const audited = await TestDaemon.start({
    settings: { ADMIN_API_ENABLED: 'true', ADMIN_API_KEY: 'an-admin-key', SERVER_KEY_PREVIOUS: 'a-former-server-key' },
  });
  const identifier = await audited.install(rudePackage('audited'));
  const former = { headers: { 'X-Api-Key': 'a-former-server-key' }, key: false };
  await audited.answer('POST', `/plugin/${ONE}/debugging/key/rotate`, former);
  const [installed] = await audited.client().list();
  await audited.client().uninstall(installed?.id ?? '');
  await audited.answer('POST', `/plugin/${ONE}/management/install/identifiers`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      plugin_unique_identifiers: [`a/b:0.0.1@${'0'.repeat(64)}`],
      source: 'package',
      metas: [{}],
    }),
  });
  const expected = [
    ['plugin.install', identifier, 'server-key', 'done'],
    ['debugging-key.rotate', 'debugging key', 'server-key (former)', 'done'],
    ['plugin.uninstall', identifier, 'server-key', 'done'],
    ['plugin.install', `a/b:0.0.1@${'0'.repeat(64)}`, 'server-key', 'failed'],
  ];
  interface Event {
    readonly [field: string]: string;
  }
  const shown = (event: Event) => [event['action'], event['subject'], event['credential'], event['outcome']];
  const inFile = readFileSync(join(audited.process.dataDirectory, 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): Event => JSON.parse(line));
  expect(inFile.map(shown)).toEqual(expected);
  expect(inFile[0]).toMatchObject({ tenant_id: ONE, address: '127.0.0.1' });
  const admin = { headers: { 'X-Admin-Api-Key': 'an-admin-key' }, key: false };
  const answer = await audited.answer('GET', '/admin/audit', admin);
  const inDatabase: readonly Event[] = JSON.parse(answer.text).data;
  expect(inDatabase.toReversed().map(shown)).toEqual(expected);
  await audited.close();
});
