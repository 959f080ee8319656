import { expect, test, vi } from 'vitest';
import { silentLog } from '../telemetry/index.ts';
import { Housekeeping } from './housekeeping.ts';

const report = {
  directories: [{ name: 'acme/old-0.0.1@a', bytes: 10, removed: true }],
  environments: [],
  bytecodeBytes: 0,
};
const list = async () => [];
/** Looks at what is in use, as collecting does before it removes anything. */
const asking = async ({ keep }: { readonly keep: () => Promise<Iterable<string>> }) => {
  await keep();
  return report;
};

test('a round keeps what is in use and the young', async () => {
  const collectGarbage = vi.fn(async () => report);
  const log = { ...silentLog, info: vi.fn() };
  const inUse = async () => ['a', 'b'];
  const onCollected = vi.fn(async () => undefined);
  const house = new Housekeeping({
    environments: { collectGarbage, list },
    inUse,
    onCollected,
    retentionHours: 2,
    log,
  });
  await house.run();
  expect(collectGarbage).toHaveBeenCalledWith({ keep: inUse, dryRun: false, minimumAgeSeconds: 7200 });
  expect(onCollected).toHaveBeenCalledTimes(1);
  expect(log.info).toHaveBeenCalledWith({ environments: ['acme/old-0.0.1@a'], bytes: 10 }, expect.any(String));
  await house.close();
});

test('a list that cannot be read is logged', async () => {
  const collectGarbage = vi.fn(asking);
  const log = { ...silentLog, warn: vi.fn() };
  const inUse = async () => Promise.reject(new Error('database is gone'));
  const house = new Housekeeping({ environments: { collectGarbage, list }, inUse, retentionHours: 1, log });
  await house.run();
  expect(log.warn).toHaveBeenCalled();
  await house.close();
});

test('retention 0 never looks; otherwise rounds come by themselves and closing waits for them', async () => {
  const collectGarbage = vi.fn(async () => report);
  const parts = { environments: { collectGarbage, list }, inUse: async () => [], log: silentLog, everyMs: 5 };
  const never = new Housekeeping({ ...parts, retentionHours: 0 });
  const often = new Housekeeping({ ...parts, retentionHours: 1 });
  await vi.waitFor(() => expect(collectGarbage.mock.calls.length).toBeGreaterThan(1), { timeout: 60_000 });
  await often.close();
  await never.close();
  const rounds = collectGarbage.mock.calls.length;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(collectGarbage).toHaveBeenCalledTimes(rounds);
});

test('a round that is asked for may only list, comes after the one under way, and fails for the one who asked', async () => {
  const collectGarbage = vi.fn(asking);
  const inUse = vi.fn(async () => ['a']);
  const house = new Housekeeping({ environments: { collectGarbage, list }, inUse, log: silentLog, retentionHours: 0 });
  expect(await house.collect({ dryRun: true })).toBe(report);
  await house.collect({ dryRun: false, hours: 0 });
  expect(collectGarbage.mock.calls).toEqual([
    [{ keep: inUse, dryRun: true, minimumAgeSeconds: 168 * 3600 }],
    [{ keep: inUse, dryRun: false, minimumAgeSeconds: 0 }],
  ]);
  inUse.mockRejectedValueOnce(new Error('database is gone'));
  await expect(house.collect({ dryRun: true })).rejects.toThrow('database is gone');
  expect(await house.collect({ dryRun: true })).toBe(report);
  await house.close();
});
