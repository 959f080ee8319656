/** `plugin dev`: runs a plugin, replaces it on every change, keeps what it is connected to. */
import { join } from 'node:path';
import type { Call, Outcome } from '../command.ts';
import { CliError, toCliError, usageError } from '../errors.ts';
import { parseDebugAddress, readEnvFile } from '../files/env-file.ts';
import { requireFolder } from '../source/folder.ts';
import { declarationOf, openSource, type PluginSource } from '../source/source.ts';
import { asText, type Finding, validatePlugin } from '../validate/index.ts';
import { LocalTarget } from './dev-local.ts';
import { RemoteTarget } from './dev-remote.ts';
import type { DevPlugin, DevTarget } from './dev-target.ts';
import { environmentFor } from './prepare.ts';
import { watchFolder } from './watch.ts';

const DEPENDENCIES = /^(?:pyproject\.toml|uv\.lock|requirements\.txt|vendor\/)/;

async function check(path: string, call: Call): Promise<{ source: PluginSource; errors: Finding[] }> {
  const source = await openSource(path, call.signal);
  const findings = await validatePlugin(source, { marketplace: false, forPackaging: true });
  return { source, errors: findings.filter((finding) => finding.severity === 'error') };
}

async function targetFor(call: Call, path: string): Promise<DevTarget> {
  const { flags, env } = call;
  if (flags.on('local')) return new LocalTarget(call);
  const file = await readEnvFile(join(path, '.env'));
  const value = (name: string): string | undefined => env[name] ?? file[name];
  const url =
    flags.text('url') ??
    value('REMOTE_INSTALL_URL') ??
    (value('REMOTE_INSTALL_HOST') === undefined
      ? undefined
      : `${value('REMOTE_INSTALL_HOST')}:${value('REMOTE_INSTALL_PORT') ?? '5003'}`);
  const key = flags.text('key') ?? value('REMOTE_INSTALL_KEY');
  if (url === undefined || key === undefined || key.includes('*')) {
    throw usageError(
      `there is no Dify to connect to: ${url === undefined ? 'REMOTE_INSTALL_URL' : 'REMOTE_INSTALL_KEY'} is missing`,
      'copy .env.example to .env and enter what Dify shows on its plugin page under "Debug Plugin"; for a daemon of your own dify plugin key --write does it; or use --local',
    );
  }
  const address = parseDebugAddress(url);
  if (address === undefined) throw usageError(`"${url}" is not an address such as debug.dify.ai:5003`);
  return new RemoteTarget(call, address, key);
}

export async function run(call: Call): Promise<Outcome> {
  const { args, flags, io, signal } = call;
  const path = args[0] ?? '';
  await requireFolder(path);
  const first = await check(path, call);
  if (first.errors.length > 0) {
    io.rawStderr(`${asText(first.errors, first.source.files, io.colors)}\n`);
    throw new CliError('invalid-plugin', 'the plugin has problems that keep it from starting', {
      remedy: 'correct them and start again',
    });
  }
  const target = await targetFor(call, path);
  let { python } = await environmentFor(first.source, declarationOf(first.source).declaration, call);
  const plugin = (source: PluginSource): DevPlugin => ({
    source,
    python,
    directory: source.folder?.root ?? path,
    entrypoint: declarationOf(source).declaration.meta.runner.entrypoint,
  });
  const watching = flags.on('once')
    ? undefined
    : watchFolder(first.source.folder?.root ?? path, async (paths) => {
        try {
          io.note(
            io.colors.dim(
              `changed: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`,
            ),
          );
          const next = await check(path, call);
          if (next.errors.length > 0) {
            io.rawStderr(`${asText(next.errors, next.source.files, io.colors)}\n`);
            io.note(io.colors.yellow('the running plugin stays until this is corrected'));
            return;
          }
          if (paths.some((each) => DEPENDENCIES.test(each)))
            ({ python } = await environmentFor(next.source, declarationOf(next.source).declaration, call));
          await target.replace(plugin(next.source));
        } catch (error) {
          if (signal.aborted) return;
          const failure = toCliError(error);
          io.error(failure.message);
          if (failure.remedy !== undefined) io.remedy(failure.remedy);
          io.note(io.colors.yellow('waiting for the next change'));
        }
      });
  try {
    await target.replace(plugin(first.source));
    io.note(watching === undefined ? 'running' : 'running; changes restart the plugin, Ctrl-C ends it');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return { silent: true };
  } finally {
    await watching?.close();
    await target.close();
  }
}
