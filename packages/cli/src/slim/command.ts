/** `dify slim`: the same program as dify-plugin-daemon-slim, below dify's name. */
import type { Call, Outcome } from '../command.ts';
import { runSlim } from './run.ts';

export async function run({ args, env, signal }: Call): Promise<Outcome> {
  return { silent: true, exit: await runSlim(args, env, process, signal) };
}
