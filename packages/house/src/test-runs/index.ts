/**
 * What a run of the tests came to, for the gate: which tests failed in which files, whether a second run of these files alone takes
 * it back, and both in a few lines for the end of a log. Owns the file that the reporter writes. The gate gives the reporter to vitest
 * and asks `main.ts`; nothing else uses it.
 */
export { lines, type Run, type RunFile } from './run.ts';
export { failedFiles, failureText, slowest, stillFailing } from './verdict.ts';
