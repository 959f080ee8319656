/** The program slim: one action, one stream of JSON lines, one exit code (docs/wire/cli.md#slim). */

import { stat } from 'node:fs/promises';
import { type ActionRow, actionRow, isDirect } from '@plugin-daemon/plugin-host/actions';
import {
  openDirectory,
  openPackage,
  type PluginDeclaration,
  parseDeclaration,
  verifySignature,
} from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import { messageOf } from '@plugin-daemon/values';
import { readNamedFile } from '../files/read.ts';
import { loadConfig, type SlimConfig } from './config.ts';
import { NIL_TENANT, readInput } from './input.ts';
import { escapeJson, lineSink } from './json-lines.ts';
import { type GoFlag, parseGoFlags, usage } from './options.ts';
import { obtainPlugin } from './plugin-folder.ts';
import { extractRemote, runRemote } from './remote.ts';
import { clean, skeleton } from './skeleton.ts';
import { SlimError } from './slim-error.ts';

const ROOT_FLAGS: readonly GoFlag[] = [
  { name: 'id', help: 'plugin unique identifier' },
  { name: 'action', help: 'action to invoke, for example invoke_tool' },
  { name: 'args', help: 'input as JSON; stdin when empty' },
  { name: 'config', help: 'configuration file (JSON), used instead of SLIM_… variables' },
  {
    name: 'unwrap',
    help: "remote mode: give the data of the daemon's envelope, errors as error events",
    boolean: true,
  },
  { name: 'strict', help: 'exit with 1 after an error event', boolean: true },
  { name: 'timeout', help: 'seconds the call may take' },
  { name: 'events', help: 'further events to print: log (local mode: what the plugin logs)' },
  { name: 'backwards', help: 'local mode: mock, or mock:<file> with scripted answers, answers calls back into Dify' },
  { name: 'verify', help: 'local mode: refuse downloads without an official signature', boolean: true },
];
const EXTRACT_FLAGS: readonly GoFlag[] = [
  { name: 'id', help: 'plugin unique identifier' },
  { name: 'action', help: 'print the skeleton of the arguments of this action' },
  { name: 'path', help: 'folder of a plugin, or a .difypkg file' },
  { name: 'output', help: 'output format', default: 'json' },
  { name: 'config', help: 'configuration file (JSON), used instead of SLIM_… variables' },
];

export interface SlimStreams {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

/** The error object must be the last line of stderr. */
function report(error: unknown, streams: SlimStreams): number {
  const failure = error instanceof SlimError ? error : new SlimError('PLUGIN_EXEC_ERROR', messageOf(error), error);
  streams.stderr.write(`${escapeJson(JSON.stringify({ code: failure.code, message: failure.message }))}\n`);
  return failure.exit;
}

export async function runSlim(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: SlimStreams,
  signal: AbortSignal,
): Promise<number> {
  try {
    return argv[0] === 'extract'
      ? await extract(argv.slice(1), env, streams, signal)
      : await invoke(argv, env, streams, signal);
  } catch (error) {
    return report(error, streams);
  }
}

async function invoke(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: SlimStreams,
  signal: AbortSignal,
): Promise<number> {
  const parsed = parseGoFlags(ROOT_FLAGS, argv);
  if (parsed.kind !== 'values') {
    if (parsed.kind === 'error') streams.stderr.write(`${parsed.message}\n`);
    streams.stderr.write(usage('slim', ROOT_FLAGS));
    return parsed.kind === 'help' ? 0 : 2;
  }
  const { values } = parsed;
  const id = values.get('id') ?? '';
  const action = values.get('action') ?? '';
  if (id === '') throw new SlimError('INVALID_INPUT', '-id is required');
  if (action === '') throw new SlimError('INVALID_INPUT', '-action is required');
  const row = actionRow(action);
  const path = row === undefined ? undefined : pathOf(row);
  if (row === undefined || path === undefined) throw new SlimError('UNKNOWN_ACTION', `unknown action: ${action}`);
  const extras = readExtras(values);
  const config = loadConfig(env, values.get('config'), { folder: true });
  const input = await readInput(values.get('args'), streams.stdin);
  const sink = lineSink(streams.stdout);
  const strict = values.get('strict') === 'true';
  if (config.mode === 'remote')
    return runRemote(config.remote, {
      id,
      path,
      input,
      sink,
      signal,
      strict,
      unwrap: values.get('unwrap') === 'true',
      timeout: extras.timeout,
    });
  const { runLocal } = await import('./local.ts');
  return runLocal(config.local, { id, type: row.type, action, input, env, signal, sink, strict, ...extras });
}

/**
 * Below `/v2/invoke/dispatch`; undefined for what slim does not offer. Webhooks it does, and sends them to a route that no daemon has:
 * callers know the 404 (docs/wire/cli.md#slim).
 */
function pathOf(row: ActionRow): string | undefined {
  if (row.type === 'endpoint') return '/endpoint/invoke';
  return isDirect(row) ? row.path : undefined;
}

interface Extras {
  timeout: number | undefined;
  logs: boolean;
  backwards: { script: string | undefined } | undefined;
  verify: boolean;
}

/** The flags that are ours alone; without them everything is as the protocol says. */
function readExtras(values: ReadonlyMap<string, string>): Extras {
  const timeout = values.get('timeout');
  if (timeout !== undefined && !(Number(timeout) > 0))
    throw new SlimError('INVALID_INPUT', `-timeout: expected seconds, got "${timeout}"`);
  const events = values.get('events');
  if (events !== undefined && events !== 'log')
    throw new SlimError('INVALID_INPUT', `-events: expected log, got "${events}"`);
  const backwards = values.get('backwards');
  if (backwards !== undefined && !/^mock(?::.+)?$/.test(backwards))
    throw new SlimError('INVALID_INPUT', `-backwards: expected mock or mock:<file>, got "${backwards}"`);
  return {
    timeout: timeout === undefined ? undefined : Number(timeout),
    logs: events === 'log',
    backwards: backwards === undefined ? undefined : { script: backwards.slice('mock:'.length) || undefined },
    verify: values.get('verify') === 'true',
  };
}

interface Extracted {
  identifier: string;
  declaration: PluginDeclaration;
  verification: unknown;
}

async function fromPath(path: string): Promise<Extracted> {
  try {
    const folder = (await stat(path)).isDirectory();
    if (folder) {
      const directory = openDirectory(path);
      const { declaration } = directory.assemble();
      return { declaration, identifier: identity(declaration, directory.checksum()), verification: null };
    }
    const archive = openPackage(await readNamedFile(path));
    const { declaration } = assembleDeclaration(archive);
    const verdict = verifySignature(archive);
    return {
      declaration: { ...declaration, verified: verdict.state === 'verified' },
      identifier: identity(declaration, archive.checksum()),
      verification: verdict.verification,
    };
  } catch (error) {
    throw new SlimError('PLUGIN_PACKAGE_INVALID', messageOf(error), error);
  }
}

function identity(declaration: PluginDeclaration, checksum: string): string {
  return `${declaration.author === '' ? '' : `${declaration.author}/`}${declaration.name}:${declaration.version}@${checksum}`;
}

async function source(config: SlimConfig, id: string, path: string, signal: AbortSignal): Promise<Extracted> {
  if (config.mode === 'remote') {
    if (path !== '') throw new SlimError('INVALID_INPUT', '-path is not supported in remote mode');
    if (id === '') throw new SlimError('INVALID_INPUT', '-id is required in remote mode');
    const data = await extractRemote(config.remote, id, signal);
    return {
      identifier: String(data.unique_identifier ?? id),
      declaration: parseDeclaration(JSON.stringify(data.manifest)),
      verification: data.verification ?? null,
    };
  }
  if (id !== '' && path !== '') throw new SlimError('INVALID_INPUT', 'only one of -id or -path may be provided');
  if (id === '' && path === '') throw new SlimError('INVALID_INPUT', 'one of -id or -path is required');
  if (path !== '') return fromPath(path);
  if (config.local.folder === '')
    throw new SlimError('CONFIG_INVALID', 'local.folder is required when extract uses -id');
  const { declaration } = await obtainPlugin(config.local, id, undefined);
  return { identifier: id, declaration, verification: null };
}

async function extract(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: SlimStreams,
  signal: AbortSignal,
): Promise<number> {
  const parsed = parseGoFlags(EXTRACT_FLAGS, argv);
  if (parsed.kind === 'help') {
    streams.stderr.write(usage('slim extract', EXTRACT_FLAGS));
    return 0;
  }
  if (parsed.kind === 'error') {
    streams.stderr.write(usage('slim extract', EXTRACT_FLAGS));
    throw new SlimError('INVALID_INPUT', parsed.message);
  }
  if (parsed.rest.length > 0) throw new SlimError('INVALID_INPUT', `unexpected arguments: ${parsed.rest.join(' ')}`);
  const { values } = parsed;
  const output = values.get('output') ?? 'json';
  if (output !== 'json') throw new SlimError('INVALID_INPUT', `unsupported output format: ${output}`);
  const config = loadConfig(env, values.get('config'), { folder: false });
  const extracted = await source(config, values.get('id') ?? '', values.get('path') ?? '', signal);
  const action = values.get('action') ?? '';
  const data =
    action === ''
      ? clean({
          unique_identifier: extracted.identifier,
          manifest: extracted.declaration,
          verification: extracted.verification,
        })
      : skeleton(extracted.declaration, action);
  await new Promise<void>((resolve) =>
    streams.stdout.write(`${escapeJson(JSON.stringify({ tenant_id: NIL_TENANT, data }))}\n`, () => resolve()),
  );
  return 0;
}
