/** Answers that no real daemon gives when all is well. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';

type Answer = { status?: number; body: unknown };
const OLD = `acme/demo:0.0.1@${'a'.repeat(64)}`;
const NEW = `acme/demo:0.0.1@${'b'.repeat(64)}`;
const ok = (data: unknown): Answer => ({ body: { code: 0, message: 'success', data } });

/** @returns the flags that lead to it */
async function daemon(answer: (path: string) => Answer): Promise<string[]> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const { status = 200, body } = answer(request.url ?? '');
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return ['--url', `http://127.0.0.1:${address.port}`, '--key', 'k'];
}

const installed = (identifier: string | undefined): Answer =>
  ok(
    identifier === undefined
      ? []
      : [{ id: 'i', plugin_unique_identifier: identifier, runtime_type: 'local', version: '0.0.1' }],
  );

test.each([
  ['nothing', undefined, 'acme/demo is not installed'],
  ['the old version', OLD, `${OLD} is still installed`],
])('a success after which the list shows %s is a failure', async (_what, shown, message) => {
  const path = await newPlugin(temporaryFolder());
  const flags = await daemon((url) => {
    if (url.endsWith('/upload/package')) return ok({ unique_identifier: NEW });
    if (url.endsWith('/fetch/batch')) return installed(shown);
    return ok({ all_installed: true, task_id: '' });
  });
  const run = await dify(['plugin', 'install', path, ...flags]);
  expect(run.error).toMatchObject({ code: 'not-installed', exit: 1, message: expect.stringContaining(message) });
});

test('what a failed task says is the error', async () => {
  const path = await newPlugin(temporaryFolder());
  const flags = await daemon((url) => {
    if (url.endsWith('/upload/package')) return ok({ unique_identifier: NEW });
    if (url.endsWith('/fetch/batch')) return installed(OLD);
    if (url.endsWith('/upgrade')) return ok({ all_installed: false, task_id: 't' });
    return ok({ status: 'failed', plugins: [{ status: 'failed', plugin_id: 'acme/demo', message: 'no wheel' }] });
  });
  const run = await dify(['plugin', 'upgrade', path, ...flags]);
  expect(run.error).toMatchObject({ code: 'install-failed', exit: 1, message: 'acme/demo: no wheel' });
});

test.each([
  ['a refused key', { status: 401, body: {} }, 'unauthorized'],
  ['another server', { body: '<html>' }, 'daemon'],
  [
    'a refusal',
    { body: { code: -400, message: '{"message":"no","error_type":"X","args":null}', data: null } },
    'refused',
  ],
])('%s is told apart', async (_what, answer, code) => {
  const flags = await daemon(() => answer);
  expect((await dify(['plugin', 'list', ...flags])).error).toMatchObject({ code, exit: 1 });
});

test('tables show what somebody else wrote without what a terminal obeys', async () => {
  const row = { plugin_id: 'acme/\u001b[31mred\n', version: '1', plugin_unique_identifier: OLD, runtime_type: 'local' };
  const rest = { source: 'package', declaration: {}, updated_at: '2026-01-01T00:00:00Z' };
  const flags = await daemon(() => ok({ list: [{ ...row, ...rest }], total: 1 }));
  const run = await dify(['plugin', 'list', ...flags], { cwd: join('/') });
  expect(run.outcome?.text?.split('\n')).toHaveLength(2);
  expect(run.outcome?.text).not.toContain('\u001b');
});
