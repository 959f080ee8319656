/** `plugin logs`: what an installed or debugged plugin said lately, and with --follow what it says. */
import type { PluginLogLine } from '@plugin-daemon/client';
import type { Call, Outcome } from '../command.ts';
import { usageError } from '../errors.ts';
import type { Colors } from '../output/io.ts';
import { oneLine } from '../output/table.ts';
import { allInstallations, withDaemon } from './daemon.ts';
import { installedPlugin, pluginNamed } from './which.ts';

const MAX_LINES = 1000;

/** @param withNode lines of several nodes have come: each says where it is from */
function shown(line: PluginLogLine, colors: Colors, withNode: boolean): string {
  const paint = { error: colors.red, warn: colors.yellow, info: colors.cyan, debug: colors.dim }[line.level];
  const [first = '', ...more] = line.message.split('\n').map(oneLine);
  const word = line.source === 'log' ? line.level : line.source;
  const node = withNode ? ` ${colors.dim(oneLine(line.node ?? '?'))}` : '';
  const head = `${colors.dim(line.time.replace('T', ' ').slice(0, 23))} ${paint(word.padEnd(6))}${node}`;
  return [`${head} ${first}`, ...more.map((text) => `${' '.repeat(31)}${text}`)].join('\n');
}

export function run(call: Call): Promise<Outcome> {
  const { args, flags, io, signal } = call;
  const lines = flags.number('lines') ?? 100;
  if (lines < 0 || lines > MAX_LINES)
    throw usageError(`invalid argument "${lines}" for "--lines": expected 0 to ${MAX_LINES}`);
  const follow = flags.on('follow');
  return withDaemon(call, async (daemon) => {
    const wanted = await pluginNamed(args[0] ?? '', call);
    const known = (await allInstallations(daemon, signal)).some((row) => row.plugin_id === wanted);
    const query = { plugin_id: wanted, lines, follow };
    let count = 0;
    // Older daemons name none.
    const nodes = new Set<string | undefined>();
    const read = async (pluginId: string): Promise<void> => {
      for await (const line of daemon.client.stream('readPluginLogs', { ...query, plugin_id: pluginId }, { signal })) {
        count++;
        nodes.add(line.node);
        await io.print(`${io.options.json ? JSON.stringify(line) : shown(line, io.colors, nodes.size > 1)}\n`);
      }
    };
    // A plugin that could not be installed has lines too, and no row.
    if (known || wanted.includes('/')) await read(wanted);
    if (count === 0 && !known) await read((await installedPlugin(args[0] ?? '', daemon, call)).plugin_id);
    if (count === 0) io.note('it said nothing since the daemon started');
    return { silent: true };
  });
}
