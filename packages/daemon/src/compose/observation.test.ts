import { beforeEach, expect, test } from 'vitest';
import type { Session, SessionOutcome } from '../invocation/index.ts';
import { createMetrics, type Metrics, silentLog } from '../telemetry/index.ts';
import { observeInvocations, observePlugins } from './observation.ts';

let metrics: Metrics;

beforeEach(() => {
  metrics = createMetrics({ enabled: true, processMetrics: false });
});

/** Rows of a metric that are not zero. */
async function rows(name: string): Promise<readonly string[]> {
  const text = await metrics.render();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test('an invocation counts once, by outcome, and is active in between', async () => {
  const { onOpened, onClosed } = observeInvocations(metrics, silentLog);
  const session = {
    startedAt: performance.now(),
    runtime: { pluginId: 'a/b', identifier: 'a/b:1@c', type: 'local' },
    action: { type: 'tool', action: 'invoke_tool' },
    // What observation reads of a session.
  } as unknown as Session;
  const outcomes: readonly SessionOutcome[] = ['success', 'error', 'timeout', 'client_disconnect'];
  for (const outcome of outcomes) {
    onOpened(session);
    expect((await rows('active_sessions_total')).join()).toMatch(/ 1$/);
    onClosed(session, outcome);
  }
  expect((await rows('active_sessions_total')).join()).toMatch(/ 0$/);
  const counted = await rows('plugin_invocations_total');
  expect(counted).toHaveLength(4);
  for (const outcome of outcomes) {
    const row = counted.find((line) => line.includes(`status="${outcome}"`));
    expect(row).toMatch(/plugin_id="a\/b".* 1$/);
    expect(row).toContain('operation="invoke_tool"');
  }
});

test('the gauges of plugins follow their state; restarts are counted apart', async () => {
  const { onState, onRestarted } = observePlugins(metrics);
  const id = `a/b:0.0.1@${'0'.repeat(64)}`;
  for (const state of ['starting', 'running', 'waiting', 'starting', 'running'] as const) onState(id, state);
  expect((await rows('plugin_runtime_status')).join()).toMatch(/ 1$/);
  expect((await rows('active_plugins_total')).join()).toMatch(/runtime_type="local"} 1/);
  expect(await rows('plugin_restarts_total')).toEqual([]);
  onRestarted(id);
  onRestarted(id);
  expect((await rows('plugin_restarts_total')).join()).toMatch(/plugin_id="a\/b".* 2$/);
  onState(id, 'stopped');
  expect((await rows('active_plugins_total')).join()).toMatch(/runtime_type="local"} 0/);
  expect(await rows('plugin_versions')).toEqual(
    expect.arrayContaining(['plugin_versions{state="running"} 0', 'plugin_versions{state="waiting"} 0']),
  );
});

test('a plugin is as well as the best of its versions: the end of the old one is not the end of the new one', async () => {
  const { onState } = observePlugins(metrics);
  const [old, fresh] = [1, 2].map((n) => `a/b:0.0.${n}@${'0'.repeat(64)}`);
  onState(old ?? '', 'running');
  onState(fresh ?? '', 'starting');
  expect(await rows('plugin_runtime_status')).toEqual([
    'plugin_runtime_status{plugin_id="a/b",runtime_type="local"} 1',
  ]);
  onState(fresh ?? '', 'running');
  onState(old ?? '', 'stopped');
  expect(await rows('plugin_runtime_status')).toEqual([
    'plugin_runtime_status{plugin_id="a/b",runtime_type="local"} 1',
  ]);
  onState(fresh ?? '', 'asleep');
  expect(await rows('plugin_runtime_status')).toEqual([
    'plugin_runtime_status{plugin_id="a/b",runtime_type="local"} 0',
  ]);
  expect(await rows('plugin_versions')).toEqual(
    expect.arrayContaining(['plugin_versions{state="running"} 0', 'plugin_versions{state="asleep"} 1']),
  );
});
