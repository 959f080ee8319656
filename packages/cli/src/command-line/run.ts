/**
 * One command from arguments to exit code: parse, run, print. Stdout gets the result and nothing else; stderr gets
 * everything said to a person. Signals become one AbortSignal; the handler tidies up, then the process leaves.
 */

import type { Outcome, Table } from '../command.ts';
import { CliError, EXIT, toCliError } from '../errors.ts';
import { Io } from '../output/io.ts';
import { parse } from './program.ts';

function colorWanted(
  env: NodeJS.ProcessEnv,
  forbidden: boolean,
  stream: { isTTY?: boolean } = process.stderr,
): boolean {
  if (forbidden || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb') return false;
  return stream.isTTY === true;
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((token) => token === '--json' || token === '--json=true');
}

async function report(error: CliError, io: Io, json: boolean): Promise<number> {
  if (error.exit === EXIT.usage) {
    io.rawStderr(`${io.colors.red('Error:')} ${error.message}\n`);
    if (error.remedy !== undefined) io.remedy(error.remedy);
  } else if (error.exit === EXIT.interrupted) {
    io.rawStderr('interrupted\n');
  } else {
    const at = error.file === undefined || error.message.includes(error.file) ? {} : { file: error.file };
    io.error(error.message, { ...error.fields, ...at });
    if (error.remedy !== undefined) io.remedy(error.remedy);
    if (io.options.verbose && error.cause instanceof Error)
      io.rawStderr(`${error.cause.stack ?? error.cause.message}\n`);
  }
  if (json) {
    const body: Record<string, unknown> = { code: error.code, message: error.message };
    if (error.file !== undefined) body.file = error.file;
    if (error.line !== undefined) body.line = error.line;
    if (error.remedy !== undefined) body.remedy = error.remedy;
    await io.print(`${JSON.stringify({ ok: false, error: body })}\n`);
  }
  return error.exit;
}

async function present(outcome: Outcome, io: Io): Promise<number> {
  const exit = outcome.exit ?? EXIT.ok;
  if (outcome.silent !== true) {
    if (io.options.json) await io.print(`${JSON.stringify({ ok: exit === EXIT.ok, ...outcome.data })}\n`);
    else if (outcome.text !== undefined && outcome.text !== '')
      await io.print(outcome.text.endsWith('\n') ? outcome.text : `${outcome.text}\n`);
  }
  return exit;
}

/** Runs `argv` (without program name) and resolves to the exit code. */
export async function runCommandLine(
  table: Table,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const json = asksForJson(argv);
  const plain = new Io({
    json,
    quiet: false,
    verbose: false,
    color: colorWanted(env, argv.includes('--no-color')),
    input: true,
  });
  const controller = new AbortController();
  let signals = 0;
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    received = signal;
    // A second Ctrl-C means "now": what was written beside is left for the operating system's temporary files. The signal itself ends the
    // process, which an exit would not do while the system holds up a read.
    if (++signals > 1) {
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    }
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A reader that leaves (`dify … | head`) is no failure of ours.
  const onPipe = (error: Error & { code?: string }): void => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  };
  process.stdout.on('error', onPipe);
  try {
    const parsed = parse(table, argv, { color: colorWanted(env, argv.includes('--no-color'), process.stdout) });
    if (parsed.kind === 'help') {
      await plain.print(parsed.text);
      return EXIT.ok;
    }
    const { globals } = parsed;
    const io = new Io({
      json: globals.on('json'),
      quiet: globals.on('quiet'),
      verbose: globals.on('verbose'),
      color: colorWanted(env, globals.on('no-color')),
      input: !globals.on('no-input'),
    });
    try {
      const { run } = await parsed.row.load();
      const outcome = await run({
        args: parsed.args,
        flags: parsed.flags,
        io,
        table,
        cwd: process.cwd(),
        env,
        signal: controller.signal,
      });
      return await present(outcome, io);
    } catch (error) {
      const failure = controller.signal.aborted
        ? new CliError('interrupted', 'interrupted', { exit: received === 'SIGTERM' ? 143 : EXIT.interrupted })
        : toCliError(error);
      return await report(failure, io, io.options.json);
    }
  } catch (error) {
    return await report(toCliError(error), plain, json);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    process.stdout.off('error', onPipe);
  }
}
