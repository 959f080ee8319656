/** `plugin invoke`: one call, built from the declaration, shown as it streams; recorded or repeated on request. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObject } from '@plugin-daemon/values';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, usageError } from '../errors.ts';
import { declarationOf, openSource } from '../source/source.ts';
import { AnswerView } from './answer-view.ts';
import { differences, makeFixture, readFixture, scriptOf, writeFixture } from './fixture.ts';
import { MockStorage, type Script } from './mock-dify.ts';
import { callOnce, failureError } from './one-call.ts';
import { PluginHost } from './plugin-host.ts';
import { preparePlugin, startPlugin } from './prepare.ts';
import { buildCall, type CallSpec, callables, KINDS, parseJson } from './requests/index.ts';
import { readMapping } from './script-file.ts';

function pairs(texts: readonly string[], flag: string): Map<string, string> {
  const map = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) throw usageError(`invalid argument "${text}" for "--${flag}": expected name=value`);
    map.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return map;
}

async function credentialsFrom({ flags, env }: Call): Promise<Record<string, unknown>> {
  const credentials: Record<string, unknown> = {};
  const source = flags.text('credentials');
  if (source?.startsWith('env:') === true) {
    const prefix = `${source.slice(4).replace(/_$/, '')}_`;
    for (const [name, value] of Object.entries(env))
      if (name.startsWith(prefix) && value !== undefined) credentials[name.slice(prefix.length).toLowerCase()] = value;
    if (Object.keys(credentials).length === 0)
      throw usageError(
        `no variable starts with ${prefix}`,
        `set for example ${prefix}API_KEY, which becomes the credential api_key`,
      );
  } else if (source !== undefined) Object.assign(credentials, await readMapping(source));
  for (const [name, value] of pairs(flags.list('credential'), 'credential')) credentials[name] = value;
  return credentials;
}

function listing(call: Call, items: ReturnType<typeof callables>): Outcome {
  const width = Math.max(4, ...items.map((item) => item.kind.length));
  const lines = items.map(
    (item) =>
      `${item.kind.padEnd(width)}  ${item.name}${item.parameters.length === 0 ? '' : `  (${item.parameters.join(', ')})`}`,
  );
  call.io.note('What can be called (name, parameters; ? = optional):');
  return { text: lines.join('\n'), data: { callables: items } };
}

async function specFrom(
  call: Call,
  path: string,
): Promise<
  { spec: CallSpec; script: Script | undefined; fixture?: Awaited<ReturnType<typeof readFixture>> } | Outcome
> {
  const { args, flags } = call;
  const mock = flags.text('mock');
  const script = mock === undefined ? undefined : await readMapping(mock);
  const replay = flags.text('replay');
  if (replay !== undefined) {
    const fixture = await readFixture(replay);
    const credentials = await credentialsFrom(call);
    const request = { ...fixture.request, ...(Object.keys(credentials).length === 0 ? {} : { credentials }) };
    return {
      spec: { type: fixture.type, action: fixture.action, request, label: fixture.action },
      script: { ...scriptOf(fixture), ...script },
      fixture,
    };
  }
  const { declaration } = declarationOf(await openSource(path, call.signal));
  const [, kind, name] = args;
  const items = callables(declaration);
  if (kind === undefined && !flags.has('action')) return listing(call, items);
  if (kind !== undefined && !(KINDS as readonly string[]).includes(kind))
    throw usageError(
      `unknown kind ${kind}`,
      `this plugin has ${[...new Set(items.map((item) => item.kind))].join(', ')}`,
    );
  const data = flags.text('data');
  const parsed = data === undefined ? undefined : parseJson(data, '--data');
  if (parsed !== undefined && !isObject(parsed)) throw usageError('--data must be a JSON object');
  const spec = buildCall(declaration, kind ?? '', name, {
    params: pairs(flags.list('param'), 'param'),
    credentials: await credentialsFrom(call),
    action: flags.text('action'),
    data: parsed,
  });
  return { spec, script };
}

/** `plugin invoke tool …` stands in the folder of the plugin: a kind is no path, unless there is something of its name. */
function withPath(args: readonly string[]): string[] {
  const [first = ''] = args;
  return (KINDS as readonly string[]).includes(first) && !existsSync(first) ? ['.', ...args] : [...args];
}

export async function run(given: Call): Promise<Outcome> {
  const call = { ...given, args: withPath(given.args) };
  const { args, flags, io, cwd, signal } = call;
  if (args.length > 3) throw usageError(`accepts at most 3 arg(s), received ${args.length}`);
  const path = args[0] ?? '';
  // Everything about the request is checked before anything is installed or started.
  const wanted = await specFrom(call, path);
  if (!('spec' in wanted)) return wanted;
  const { spec, script, fixture } = wanted;
  const ready = await preparePlugin(path, call);
  let host: PluginHost | undefined;
  try {
    const onLog = (level: string, message: string) => io.debug(message, { level });
    host = await startPlugin(ready, call, (options) => PluginHost.start({ ...options, onLog }, signal));
    const view = new AnswerView(
      io,
      flags.text('out-dir') === undefined ? undefined : resolve(cwd, flags.text('out-dir') ?? ''),
    );
    const live = !io.options.json && fixture === undefined;
    const result = await callOnce(
      host,
      { type: spec.type, action: spec.action, request: spec.request, userId: randomUUID() },
      {
        mock: {
          permission: ready.declaration.resource.permission,
          accessType: spec.type,
          storage: new MockStorage(flags.text('storage-dir')),
          ...(script === undefined ? {} : { script }),
          onCall: (kind, _request, answers, error) =>
            io.debug('call into Dify', { kind, answers: answers.length, ...(error === undefined ? {} : { error }) }),
        },
        timeout: flags.number('timeout') ?? 300,
        signal,
        ...(live ? { onItem: (item: unknown) => view.show(spec.type, item) } : {}),
      },
    );
    if (live) await view.end();
    const record = flags.text('record');
    if (record !== undefined) {
      await writeFixture(
        resolve(cwd, record),
        makeFixture(ready.identifier.split('@')[0] ?? '', spec.type, spec.action, spec.request, result),
      );
      io.info('call recorded', { file: record });
    }
    if (fixture !== undefined) {
      const found = differences(fixture, result);
      if (found.length > 0)
        throw new CliError('different', `the answers differ from the recording:\n${found.join('\n')}`, {
          remedy: 'record again if the new answer is right; values that change every time go into "ignore" of the file',
        });
      return { text: 'the answers are those of the recording', data: { equal: true, answers: result.items } };
    }
    if (result.failure !== undefined) throw failureError(result.failure);
    return {
      data: {
        type: spec.type,
        action: spec.action,
        answers: result.items,
        backwards: result.backwards,
        files: view.files,
      },
      exit: EXIT.ok,
    };
  } finally {
    await host?.close();
    await ready.close();
  }
}
