/** `plugin list`: what a tenant has installed. */
import type { Call, Outcome } from '../command.ts';
import { oneLine, table } from '../output/table.ts';
import { allInstallations, withDaemon } from './daemon.ts';

export function run(call: Call): Promise<Outcome> {
  return withDaemon(call, async (daemon) => {
    const rows = await allInstallations(daemon, call.signal);
    const plugins = rows.map((row) => ({
      plugin_id: row.plugin_id,
      version: row.version,
      unique_identifier: row.plugin_unique_identifier,
      runtime: row.runtime_type,
      source: row.source,
      verified: row.declaration.verified === true,
      endpoints: row.endpoints_setups,
      installation_id: row.id,
      installed_at: row.created_at,
      updated_at: row.updated_at,
    }));
    if (plugins.length === 0) call.io.note('no plugin is installed');
    const cells = plugins.map((each) =>
      [
        each.plugin_id,
        each.version,
        each.unique_identifier.split('@')[1]?.slice(0, 8) ?? '',
        each.runtime === 'remote' ? 'debugging' : each.runtime,
        each.source,
        each.verified ? 'yes' : 'no',
        each.updated_at.slice(0, 16).replace('T', ' '),
      ].map(oneLine),
    );
    const titles = ['PLUGIN', 'VERSION', 'CHECKSUM', 'RUNS', 'SOURCE', 'SIGNED', 'UPDATED (UTC)'];
    return {
      ...(plugins.length === 0 ? {} : { text: table(titles, cells, call.io.colors) }),
      data: { tenant: daemon.address.tenant, plugins },
    };
  });
}
