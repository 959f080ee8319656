/**
 * `npm run bench -- rounds`: plugins are installed, called, changed and removed over and over, some of them in ways that cannot go well,
 * and the daemon is killed in the middle of it; then everything that a daemon may have left is counted.
 *
 * Owns its daemons and what it counts of them from outside; imports nothing of the daemon. Called by main.ts, and in a short form by a
 * test of the daemon.
 */
export { type Counts, grown, MADE_LATER } from './counts.ts';
export { type KillsReport, type RoundsOptions, type RoundsReport, runKills, runRounds } from './run.ts';
