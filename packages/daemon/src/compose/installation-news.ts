/** What tenants were given and what was taken from them, told to every node, so that each stops what nobody has any more. */

import type { Settings } from '../config/index.ts';
import type { EventBus } from '../events/index.ts';
import { type InstallationChange, ReadyNodes, WantedVersions } from '../installation/index.ts';
import type { Membership } from '../nodes/index.ts';
import type { LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';

/** @returns to be called with what changed here */
export function tellOfInstallations(
  events: EventBus | undefined,
  plugins: LocalPlugins,
  log: Log,
): (change: InstallationChange) => void {
  events?.on('installation-changed', ({ taken }) => {
    if (taken === '') return;
    // Giving up a claim stops what nobody has; the database is asked, so that the news need not be believed.
    plugins
      .claim(taken)
      .release()
      .catch((error: unknown) =>
        log.warn({ err: error, identifier: taken }, 'a version may run here for nobody for a while'),
      );
  });
  return (change) => {
    const given = change.kind === 'uninstalled' ? '' : change.identifier;
    const taken = change.kind === 'installed' ? '' : change.kind === 'upgraded' ? change.original : change.identifier;
    events?.publish('installation-changed', { given, taken });
  };
}

interface ReadinessParts {
  readonly settings: Settings;
  readonly nodeId: string;
  readonly events: EventBus;
  readonly membership: Membership;
  readonly plugins: LocalPlugins;
  readonly log: Log;
}

/** Both sides of INSTALL_READY_NODES: what this node asks of the others, and what it does for them. */
export function readiness({ settings, nodeId, events, membership, plugins, log }: ReadinessParts) {
  const asks = new ReadyNodes({ count: settings.INSTALL_READY_NODES, events, nodes: membership });
  // A node that runs no plugins makes none ready.
  const answers = settings.NODE_ROLE === 'front' ? undefined : new WantedVersions({ events, nodeId, plugins, log });
  return { asks, close: async () => answers?.close() };
}
