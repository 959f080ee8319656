/** `dify doctor`: runs the checks and prints one line each, with what to do below those that are not well. */
import type { Call, Outcome } from '../command.ts';
import { EXIT } from '../errors.ts';
import { pruneEnvironments } from '../machine/environment-cache.ts';
import { type CheckResult, runChecks, type Verdict } from './checks.ts';

export async function run({ flags, env, signal, io }: Call): Promise<Outcome> {
  if (flags.on('prune')) io.info('unused environments deleted', { count: await pruneEnvironments(env, signal) });
  const results = await runChecks({
    env,
    signal,
    offline: flags.on('offline'),
    url: flags.text('url') ?? env.DIFY_PLUGIN_DAEMON_URL,
    key: flags.text('key') ?? env.DIFY_PLUGIN_DAEMON_KEY ?? env.SERVER_KEY,
  });
  const { green, yellow, red, dim, cyan } = io.colors;
  const words: Record<Verdict, string> = {
    ok: green('ok     '),
    warning: yellow('warning'),
    failed: red('failed '),
    skipped: dim('skipped'),
  };
  const width = Math.max(...results.map((result) => result.name.length));
  const line = (result: CheckResult): string =>
    `${words[result.verdict]}  ${result.name.padEnd(width)}  ${result.detail}${result.remedy === undefined ? '' : `\n         ${' '.repeat(width)}${cyan('→')} ${result.remedy}`}`;
  const failed = results.some((result) => result.verdict === 'failed');
  return { text: results.map(line).join('\n'), data: { checks: results }, exit: failed ? EXIT.failed : EXIT.ok };
}
