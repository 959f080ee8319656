/**
 * `npm run services -- [SERVICE…] [COMMAND…]`: starts servers for tests, those named or all that are installed, and runs the
 * command with the variables that tests find them by; without a command it prints the variables and waits for Ctrl-C.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { howToInstall, missing, RunningServices, type ServiceName, services } from '@plugin-daemon/services';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import pc from 'picocolors';

const isName = (word: string): word is ServiceName => word in services;
const say = (text: string) => process.stderr.write(`${text}\n`);

const args = process.argv.slice(2);
// What follows belongs to the command, options included.
const ours = args.slice(0, args.findIndex((word) => !isName(word) && !word.startsWith('-')) >>> 0);
const { words } = argumentsOf(
  {
    name: 'npm run services',
    words: '[SERVICE…] [COMMAND…]',
    about: `Starts servers for tests, those named or all that are installed, and runs the command with the variables that tests find them by; without a command it prints the variables and waits for Ctrl-C. There are ${Object.keys(services).join(', ')}.`,
    options: {},
  },
  ours,
);
const named = words.filter(isName);
const command = args.slice(ours.length);

const all = Object.keys(services).filter(isName);
for (const name of all) {
  const absent = missing(name);
  if (absent.length === 0) continue;
  const line = `${name}: ${absent.join(', ')} not installed (${howToInstall(services[name])})`;
  if (named.includes(name)) {
    say(line);
    process.exit(2);
  }
  if (named.length === 0) say(pc.yellow(`left out: ${line}`));
}
const wanted = (named.length > 0 ? named : all).filter((name) => missing(name).length === 0);

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ended.abort());

const running = await RunningServices.start(wanted, (name) => say(pc.dim(`${name} runs`)));
let code = 0;
try {
  const [program, ...args] = command;
  if (program === undefined) {
    for (const [name, value] of Object.entries(running.environment))
      process.stdout.write(`export ${name}='${value}'\n`);
    say('Ctrl-C stops them.');
    if (!ended.signal.aborted) await once(ended.signal, 'abort');
  } else if (!ended.signal.aborted) {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...running.environment } });
    const failed = once(child, 'error').then(([error]) => {
      throw error;
    });
    const [status, signal] = await Promise.race([once(child, 'exit'), failed]);
    code = signal === null ? Number(status) : 1;
  }
} finally {
  await running.close();
}
process.exit(code);
