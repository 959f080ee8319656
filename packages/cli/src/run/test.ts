/** `plugin test`: repeats recorded calls against one started plugin and compares the answers. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, throwIfAborted } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { differences, readFixture, scriptOf } from './fixture.ts';
import { MockStorage } from './mock-dify.ts';
import { callOnce } from './one-call.ts';
import { PluginHost } from './plugin-host.ts';
import { preparePlugin, startPlugin } from './prepare.ts';

interface CaseResult {
  file: string;
  action: string;
  seconds: number;
  problems: string[];
}

/** XML has no place for control characters. */
const escapeXml = (text: string): string =>
  text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/[^\P{Cc}\t\n\r]/gu, '');

function junit(name: string, results: readonly CaseResult[]): string {
  const cases = results.map((result) => {
    const head = `  <testcase classname="${escapeXml(name)}" name="${escapeXml(result.file)}" time="${result.seconds.toFixed(3)}"`;
    return result.problems.length === 0
      ? `${head}/>`
      : `${head}>\n    <failure message="${escapeXml(result.problems[0] ?? '')}">${escapeXml(result.problems.join('\n'))}</failure>\n  </testcase>`;
  });
  const failures = results.filter((result) => result.problems.length > 0).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="${escapeXml(name)}" tests="${results.length}" failures="${failures}">\n${cases.join('\n')}\n</testsuite>\n`;
}

async function fixturesOf({ args, cwd }: Call): Promise<string[]> {
  const [path = '', ...given] = args;
  if (given.length > 0) return given.map((file) => resolve(cwd, file));
  const folder = join(path, 'tests');
  if (!existsSync(folder))
    throw new CliError('no-fixtures', `${folder}: no such folder`, {
      remedy: 'record calls with dify plugin invoke … --record tests/<name>.json',
    });
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0)
    throw new CliError('no-fixtures', `${folder} holds no recorded calls`, {
      remedy: 'record one with dify plugin invoke … --record tests/<name>.json',
    });
  return names.map((name) => join(folder, name));
}

export async function run(given: Call): Promise<Outcome> {
  // `plugin test tests/oslo.json`: the fixtures of the plugin in this folder.
  const call = given.args[0]?.endsWith('.json') === true ? { ...given, args: ['.', ...given.args] } : given;
  const { args, flags, io, cwd, signal } = call;
  const files = await fixturesOf(call);
  const fixtures = await Promise.all(files.map(async (file) => ({ file, fixture: await readFixture(file) })));
  const ready = await preparePlugin(args[0] ?? '', call);
  const results: CaseResult[] = [];
  let host: PluginHost | undefined;
  try {
    const onLog = (level: string, message: string) => io.debug(message, { level });
    host = await startPlugin(ready, call, (options) => PluginHost.start({ ...options, onLog }, signal));
    for (const { file, fixture } of fixtures) {
      throwIfAborted(signal);
      const startedAt = performance.now();
      const { permission } = ready.declaration.resource;
      let problems: string[];
      try {
        const result = await callOnce(
          host,
          { type: fixture.type, action: fixture.action, request: fixture.request, userId: randomUUID() },
          {
            mock: { permission, accessType: fixture.type, storage: new MockStorage(), script: scriptOf(fixture) },
            timeout: flags.number('timeout') ?? 300,
            signal,
          },
        );
        problems = differences(fixture, result);
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== 'timeout') throw error;
        problems = [error.message];
      }
      const seconds = (performance.now() - startedAt) / 1000;
      results.push({ file, action: fixture.action, seconds, problems });
      io.note(
        `${problems.length === 0 ? io.colors.green('ok  ') : io.colors.red('FAIL')} ${file} (${fixture.action}, ${seconds.toFixed(2)} s)${problems.map((problem) => `\n     ${problem}`).join('')}`,
      );
    }
  } finally {
    await host?.close();
    await ready.close();
  }
  const report = flags.text('junit');
  if (report !== undefined) await writeFileAtomic(resolve(cwd, report), junit(ready.declaration.name, results));
  const failed = results.filter((result) => result.problems.length > 0).length;
  return {
    text: `${results.length - failed} passed, ${failed} failed`,
    data: { passed: results.length - failed, failed, results },
    exit: failed === 0 ? EXIT.ok : EXIT.failed,
  };
}
