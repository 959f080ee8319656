/** What tenants were given and what was taken from them, told to every node, so that each stops what nobody has any more. */
import type { EventBus } from '../events/index.ts';
import type { InstallationChange } from '../installation/index.ts';
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
