/**
 * A short form of `npm run bench -- rounds`: tenants, authors and operators at work side by side, and a daemon that is killed in the middle
 * of it. ROUNDS and KILLS say how often.
 */
import { type Counts, grown, MADE_LATER, runKills, runRounds } from '@plugin-daemon/bench';
import { expect, test } from 'vitest';

const ROUNDS = Number(process.env['ROUNDS'] ?? 2);
const KILLS = Number(process.env['KILLS'] ?? 3);
/** What was uploaded is kept for days, whether or not an installation came of it. */
const KEPT = new Set(['files in storage', 'rows in plugin_declarations', 'rows in job_leases']);

const options = { sdk: false, say: () => undefined };
const left = (before: Counts, after: Counts, allowed: ReadonlySet<string> = new Set()) =>
  Object.entries(grown(before, after)).filter(([what]) => !MADE_LATER.has(what) && !allowed.has(what));

test(`${ROUNDS} rounds, failed installations among them, leave nothing over and let every call through`, async () => {
  const report = await runRounds({ ...options, rounds: ROUNDS });
  expect(report.failed).toEqual([]);
  expect(report.calls).toBeGreaterThan(0);
  expect(left(report.before, report.after)).toEqual([]);
}, 900_000);

test(`${KILLS} kills in the middle of what a daemon does leave no process, and nothing once it was collected`, async () => {
  const report = await runKills({ ...options, rounds: KILLS });
  expect(report.survivors).toEqual([]);
  expect(left(report.before, report.after, KEPT)).toEqual([]);
}, 900_000);
