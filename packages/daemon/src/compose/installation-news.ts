/** What tenants were given and what was taken from them, told to every node, so that each stops what nobody has any more. */

import type { Settings } from '../config/index.ts';
import type { EventBus } from '../events/index.ts';
import { type InstallationChange, ReadyNodes, WantedVersions } from '../installation/index.ts';
import type { Membership } from '../nodes/index.ts';
import type { NodePlacement } from '../routing/index.ts';
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
  readonly nodes: { readonly membership: Membership; readonly placement: NodePlacement };
  readonly plugins: LocalPlugins;
  readonly log: Log;
}

/** What is installed becomes ready where it is to run: what this node asks of the others, and what it does for them. */
export function readiness({ settings, nodeId, events, nodes, plugins, log }: ReadinessParts) {
  const { membership, placement } = nodes;
  const wanted = new ReadyNodes({
    count: settings.INSTALL_READY_NODES,
    plugins,
    events,
    nodes: membership,
    placement,
  });
  // A node that runs no plugins makes none ready.
  const answers = settings.NODE_ROLE === 'front' ? undefined : new WantedVersions({ events, nodeId, plugins, log });
  return { plugins: wanted, close: async () => answers?.close() };
}
