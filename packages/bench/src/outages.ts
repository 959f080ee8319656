/**
 * `npm run outages`: several nodes under load, to which something happens; prints how many calls failed.
 *
 *   npm run outages -- [NAME…]   only these (--list shows them)
 *   --seconds S                  how long an outage lasts that lasts (30)
 *   --store folder|s3            where packages are kept (s3 where versitygw is installed, else folder)
 *   --placement RULE             PLACEMENT_RULE of the nodes (demand)
 *   --callers N                  how many call at once, half of them streams of a second (8)
 *
 * Needs PostgreSQL and Redis on this machine; the network is cut in namespaces, as root. Exits with 1 when a call failed that should not.
 */
import { parseArgs } from 'node:util';
import { missing } from '@plugin-daemon/services';
import { messageOf } from '@plugin-daemon/values';
import { outages, type Row, run } from './outages/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '30' },
    store: { type: 'string', default: missing('versitygw').length === 0 ? 's3' : 'folder' },
    placement: { type: 'string', default: 'demand' },
    callers: { type: 'string', default: '8' },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const SHOWN = 3;

function count(name: 'seconds' | 'callers'): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1 || value > 600)
    throw new Error(`--${name} takes a whole number from 1 to 600`);
  return value;
}

function line({ title, lastedMs, recoveredMs, called, mayFail, seen }: Row): string {
  const failed = called.failed.length;
  const note = [failed > 0 && mayFail !== undefined ? mayFail : undefined, seen].filter((one) => one !== undefined);
  const cells = [
    title,
    seconds(lastedMs),
    seconds(recoveredMs),
    called.calls,
    failed,
    seconds(called.slowestMs),
    note.join('; '),
  ];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  if (values.list) {
    for (const { name, title } of outages) say(`${name.padEnd(18)} ${title}`);
    return;
  }
  const unknown = positionals.filter((name) => !outages.some((outage) => outage.name === name));
  if (unknown.length > 0) throw new Error(`there is no outage ${unknown.join(', ')}; --list shows all`);
  const { store, placement } = values;
  if (store !== 'folder' && store !== 's3') throw new Error('--store takes folder or s3');
  const options = { store, placement, callers: count('callers'), seconds: count('seconds'), say: tell } as const;
  say(`${options.callers} callers, packages in ${store === 's3' ? 'S3' : 'one folder'}, PLACEMENT_RULE=${placement}\n`);
  say('| what happened | lasted | all well after | calls | failed | slowest | remarks |');
  say('|---|---|---|---|---|---|---|');
  for (const outage of outages) {
    if (positionals.length > 0 && !positionals.includes(outage.name)) continue;
    const lacking = outage.missing?.();
    if (lacking !== undefined) {
      say(`| ${outage.title} | – | – | – | – | – | not done: ${lacking} |`);
      continue;
    }
    tell(outage.name);
    try {
      const row = await run(outage, options);
      say(line(row));
      for (const failure of row.called.failed.slice(0, SHOWN)) tell(`failed: ${failure}`);
      if (row.called.failed.length > 0 && outage.mayFail === undefined) process.exitCode = 1;
    } catch (error) {
      say(`| ${outage.title} | – | – | – | – | – | ended with: ${messageOf(error).slice(0, 300)} |`);
      process.exitCode = 1;
    }
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
