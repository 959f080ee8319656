/** `plugin uninstall`: takes a plugin from a tenant, and looks whether it is gone. */
import type { Call, Outcome } from '../command.ts';
import { CliError } from '../errors.ts';
import { installationOf, withDaemon } from './daemon.ts';
import { installedPlugin } from './which.ts';

export function run(call: Call): Promise<Outcome> {
  return withDaemon(call, async (daemon) => {
    const { signal } = call;
    const row = await installedPlugin(call.args[0] ?? '', daemon, call);
    if (row.runtime_type !== 'local')
      throw new CliError('in-the-way', `${row.plugin_id} is connected for debugging, not installed`, {
        remedy: 'it goes when dify plugin dev, or the program you debug, ends',
      });
    await daemon.client.call('uninstallPlugin', { body: { plugin_installation_id: row.id } }, { signal });
    const left = await installationOf(daemon, row.plugin_id, signal);
    if (left?.id === row.id)
      throw new CliError('still-installed', `the daemon reported success, but ${left.identifier} is still installed`, {
        remedy: 'try again; the log of the daemon may say more',
      });
    call.io.info('plugin uninstalled', { plugin: row.plugin_id, version: row.version });
    return {
      text: row.plugin_unique_identifier,
      data: { plugin_id: row.plugin_id, unique_identifier: row.plugin_unique_identifier },
    };
  });
}
