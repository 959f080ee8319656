/**
 * What the gate asks about runs of the tests, whose files the reporter wrote:
 *
 *     main.ts files FIRST            the failed files that a second run may take back, one a line; fails when there are none
 *     main.ts unsteady FIRST SECOND  what failed in the first run alone; fails, and names it, when something does not pass again
 *     main.ts failures FIRST         what failed and why
 *     main.ts slowest FIRST          the files that took longest, with their seconds
 */
import { readFileSync } from 'node:fs';
import { failedFiles, failureText, type Run, slowest, stillFailing } from './index.ts';

const SLOWEST_SHOWN = 12;

const [what = '', ...files] = process.argv.slice(2);
/** Ours: the reporter wrote it. */
const runs = files.map((file): Run => JSON.parse(readFileSync(file, 'utf8')));
const [first, second] = runs;
if (first === undefined) throw new Error('which run?');

switch (what) {
  case 'files': {
    const found = failedFiles(first);
    for (const path of found) console.log(path);
    if (found.length === 0) process.exitCode = 1;
    break;
  }
  case 'unsteady': {
    const open = second === undefined ? [] : stillFailing(first, second);
    for (const name of open) console.log(`fails again: ${name}`);
    if (second === undefined || open.length > 0) process.exitCode = 1;
    break;
  }
  case 'failures':
    console.log(failureText(first));
    break;
  case 'slowest':
    for (const line of slowest(first, SLOWEST_SHOWN)) console.log(line);
    break;
  default:
    throw new Error(`what is ${JSON.stringify(what)}?`);
}
