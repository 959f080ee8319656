/** Installing, and who makes plugins run for it: this node, others with it, or the serverless platform. */
import type { Settings } from '../config/index.ts';
import { createInstallation, type Installation, type PackageStore } from '../installation/index.ts';
import type { JobQueue } from '../jobs/index.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import { readiness, tellOfInstallations } from './installation-news.ts';
import { installationOptions } from './local-plugins.ts';
import type { Nodes } from './nodes.ts';
import { observeInstallations } from './observation.ts';
import type { Plugins } from './plugins.ts';

interface InstallationParts extends Foundation {
  readonly settings: Settings;
  readonly packages: PackageStore;
  readonly plugins: Pick<Plugins, 'supervisor' | 'serverless'>;
  readonly nodes: Nodes | undefined;
  readonly queue: JobQueue;
}

export async function openInstallation(parts: InstallationParts, closing: Closing): Promise<Installation> {
  const { settings, nodeId, events, nodes, database, metrics } = parts;
  const { supervisor, serverless } = parts.plugins;
  const log = parts.log.child({ component: 'installation' });
  const elsewhere =
    events === undefined || nodes === undefined || serverless !== undefined
      ? undefined
      : closing(readiness({ settings, nodeId, events, nodes, plugins: supervisor, log }), (r) => r.close());
  const installation = createInstallation(
    {
      database,
      store: parts.packages,
      plugins: serverless?.functions ?? elsewhere?.plugins ?? supervisor,
      runtimeType: serverless === undefined ? 'local' : 'serverless',
      queue: parts.queue,
      log,
      onChange: tellOfInstallations(events, supervisor, parts.log),
      onJobEnd: observeInstallations(metrics),
    },
    installationOptions(settings, nodeId),
  );
  closing(installation, (i) => i.close());
  await installation.start();
  return installation;
}
