import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SessionOutcome } from '../session-contract.ts';
import { Admission, type CallLimits } from './index.ts';

let now: number;
let refused: unknown[];
beforeEach(() => {
  now = 1000;
  refused = [];
});

const none: CallLimits = { callsPerMinute: 0, failuresToOpen: 0, openSeconds: 30 };

/** `of` are single plugins. */
const admission = (changes: Partial<CallLimits>, of: Record<string, Partial<CallLimits>> = {}): Admission =>
  new Admission({
    limitsOf: (pluginId) => ({ ...none, ...changes, ...of[pluginId] }),
    isAny: () => [changes, ...Object.values(of)].some((one) => Object.keys(one).length > 0),
    onRefused: (...what) => refused.push(what),
    now: () => now,
  });

/** What a call comes to: its error, or nothing. */
function call(of: Admission, outcome: SessionOutcome = 'success', tenant = 't', plugin = 'acme/a') {
  try {
    of.admit(tenant, plugin).ended(outcome);
    return undefined;
  } catch (error) {
    return error;
  }
}

test('off unless it is said otherwise', () => {
  const off = admission({});
  expect(off.enabled).toBe(false);
  for (let n = 0; n < 1000; n++) expect(call(off, 'error')).toBeUndefined();
});

describe('the rate', () => {
  test('so many at once, then evenly; the others are told when, in the words of a plugin’s own limit', () => {
    const limited = admission({ callsPerMinute: 6 });
    for (let n = 0; n < 6; n++) expect(call(limited)).toBeUndefined();
    const error = call(limited);
    expect(error).toMatchObject({
      kind: 'rate-limited',
      status: 429,
      type: 'PluginInvokeError',
      retryAfterSeconds: 10,
    });
    expect(JSON.parse(error instanceof Error ? error.message : '')).toMatchObject({
      error_type: 'InvokeRateLimitError',
      message: expect.stringContaining('PLUGIN_CALLS_PER_MINUTE'),
      args: { limit: 6 },
    });
    now += 10_000;
    expect([call(limited), call(limited)]).toEqual([undefined, expect.anything()]);
    expect(refused).toEqual([
      ['acme/a', 'rate'],
      ['acme/a', 'rate'],
    ]);
  });

  test('is that of a tenant and a plugin', () => {
    const limited = admission({ callsPerMinute: 1 });
    expect(call(limited)).toBeUndefined();
    expect(call(limited, 'success', 'other')).toBeUndefined();
    expect(call(limited, 'success', 't', 'acme/b')).toBeUndefined();
    expect(call(limited)).toBeDefined();
  });

  test('over any time never more than the rate and one bucket', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(5000), { maxLength: 300 }), (perMinute, pauses) => {
        const limited = admission({ callsPerMinute: perMinute });
        const start = now;
        let done = 0;
        for (const pause of pauses) {
          now += pause;
          if (call(limited) === undefined) done++;
        }
        expect(done).toBeLessThanOrEqual(perMinute + ((now - start) / 60_000) * perMinute + 1e-6);
      }),
    );
  });
});

describe('the breaker', () => {
  test('opens after so many failures in a row, lets one try after a while, and closes when that succeeds', () => {
    const guarded = admission({ failuresToOpen: 3 });
    expect(call(guarded, 'error')).toBeUndefined();
    expect(call(guarded, 'success')).toBeUndefined();
    for (const how of ['error', 'timeout', 'error'] as const) expect(call(guarded, how)).toBeUndefined();
    expect(call(guarded)).toMatchObject({
      kind: 'circuit-open',
      status: 503,
      retryAfterSeconds: 30,
      message: expect.stringMatching(/^no available node: acme\/a failed 3 calls in a row/),
    });
    expect(call(guarded, 'success', 'another tenant')).toBeUndefined();
    now += 30_000;
    const trial = guarded.admit('t', 'acme/a');
    expect(call(guarded)).toMatchObject({ kind: 'circuit-open' });
    trial.ended('error');
    expect(call(guarded)).toMatchObject({ kind: 'circuit-open' });
    now += 30_000;
    expect(call(guarded, 'success')).toBeUndefined();
    for (let n = 0; n < 2; n++) expect(call(guarded, 'error')).toBeUndefined();
    expect(call(guarded, 'success')).toBeUndefined();
  });

  test('calls that began before it opened neither close it nor let a second one try', () => {
    const guarded = admission({ failuresToOpen: 2 });
    const early = [1, 2, 3, 4, 5].map(() => guarded.admit('t', 'acme/a'));
    early[0]?.ended('error');
    early[1]?.ended('timeout');
    early[2]?.ended('success');
    expect(call(guarded)).toMatchObject({ kind: 'circuit-open', retryAfterSeconds: 30 });
    now += 20_000;
    early[3]?.ended('error');
    now += 10_000;
    const trial = guarded.admit('t', 'acme/a');
    early[4]?.ended('client_disconnect');
    expect(call(guarded)).toMatchObject({ kind: 'circuit-open' });
    trial.ended('success');
    expect([call(guarded), call(guarded)]).toEqual([undefined, undefined]);
  });

  test('limits of one plugin are its own, and count from when they are said', () => {
    const of: Record<string, Partial<CallLimits>> = {};
    const limited = admission({}, of);
    expect(limited.enabled).toBe(false);
    of['acme/a'] = { callsPerMinute: 1, failuresToOpen: 1 };
    expect(limited.enabled).toBe(true);
    expect([call(limited), call(limited, 'success', 't', 'acme/b'), call(limited, 'success', 't', 'acme/b')]).toEqual(
      Array(3).fill(undefined),
    );
    expect(call(limited)).toMatchObject({ kind: 'rate-limited' });
    of['acme/a'] = { callsPerMinute: 2 };
    expect([call(limited, 'error'), call(limited, 'error')]).toEqual([undefined, undefined]);
    expect(call(limited)).toMatchObject({ kind: 'rate-limited' });
    delete of['acme/a'];
    expect(call(limited)).toBeUndefined();
  });

  test('a trial whose client leaves decides nothing, and the next one tries', () => {
    const guarded = admission({ failuresToOpen: 1 });
    call(guarded, 'error');
    now += 30_000;
    expect(call(guarded, 'client_disconnect')).toBeUndefined();
    expect(call(guarded, 'success')).toBeUndefined();
    expect(call(guarded)).toBeUndefined();
  });
});
