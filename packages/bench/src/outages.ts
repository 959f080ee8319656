/** `npm run outages`: several nodes under load, to which something happens; prints how many calls failed. */
import { missing } from '@plugin-daemon/services';
import { messageOf } from '@plugin-daemon/values';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import { outages, type Row, run } from './outages/index.ts';

const { values, words, number, refuse } = argumentsOf({
  name: 'npm run outages',
  words: '[NAME…]',
  about:
    'Several nodes under load, to which something happens: prints how many calls failed, and exits with 1 when one did that should not. Needs PostgreSQL and Redis on this machine; the network is cut in namespaces, as root.',
  options: {
    list: { type: 'boolean', default: false, help: 'shows the names, and does nothing else' },
    seconds: { type: 'string', takes: 'S', default: '30', help: 'how long an outage lasts that lasts' },
    store: {
      type: 'string',
      takes: 'folder|s3',
      default: missing('versitygw').length === 0 ? 's3' : 'folder',
      help: 'where packages are kept; s3 needs versitygw',
    },
    placement: { type: 'string', takes: 'RULE', default: 'demand', help: 'PLACEMENT_RULE of the nodes' },
    callers: {
      type: 'string',
      takes: 'N',
      default: '8',
      help: 'how many call at once, half of them streams of a second',
    },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const SHOWN = 3;

const BOUNDS = { least: 1, most: 600 };

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
  const unknown = words.filter((name) => !outages.some((outage) => outage.name === name));
  if (unknown.length > 0) refuse(`there is no outage ${unknown.join(', ')} (--list shows all)`);
  const { store, placement } = values;
  if (store !== 'folder' && store !== 's3') return refuse('--store takes folder or s3');
  const options = {
    store,
    placement,
    callers: number('callers', BOUNDS),
    seconds: number('seconds', BOUNDS),
    say: tell,
  } as const;
  say(`${options.callers} callers, packages in ${store === 's3' ? 'S3' : 'one folder'}, PLACEMENT_RULE=${placement}\n`);
  say('| what happened | lasted | all well after | calls | failed | slowest | remarks |');
  say('|---|---|---|---|---|---|---|');
  for (const outage of outages) {
    if (words.length > 0 && !words.includes(outage.name)) continue;
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
