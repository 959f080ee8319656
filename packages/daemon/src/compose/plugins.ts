/** Everything plugins run on, as the settings say: cages, processes of this machine, functions of the serverless platform. */
import { join } from 'node:path';
import { createProcessLauncher, explainPid1 } from '@plugin-daemon/plugin-host/launcher';
import type { Settings } from '../config/index.ts';
import type { PackageStore } from '../installation/index.ts';
import { RecentUse } from '../supervision/index.ts';
import type { OwnedLog } from '../telemetry/index.ts';
import type { Budgets } from './budgets.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import { serverlessPlatform } from './functions.ts';
import { isolation } from './isolation.ts';
import { DESIRED_LOOK_MS, localPlugins } from './local-plugins.ts';
import type { Nodes } from './nodes.ts';
import type { WorkerSeat } from './worker-seat.ts';

interface PluginsParts extends Foundation {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly seat: WorkerSeat | undefined;
  readonly packages: PackageStore;
  readonly budgets: Budgets;
  readonly nodes: Nodes | undefined;
}

export type Plugins = Awaited<ReturnType<typeof openPlugins>>;

export async function openPlugins(parts: PluginsParts, closing: Closing) {
  const { settings, environment, seat, dataDirectory, log, metrics, nodes, events } = parts;
  const launcher = createProcessLauncher({
    python: settings.PYTHON_INTERPRETER_PATH,
    ...(environment.PATH !== undefined && { searchPath: environment.PATH }),
    onFallback: (reason) => {
      log.warn({ reason }, 'plugins are started without the helper process');
      warnOfPid1(log, true);
    },
    onHung: () =>
      log.error('the process that starts plugins does not answer and is ended, with the plugins that it has started'),
  });
  const cages = closing(
    isolation(settings, {
      dataDirectory,
      wholeDirectory: seat && settings.DATA_DIR,
      launcher,
      log: log.child({ component: 'isolation' }),
      metrics,
    }),
    (i) => i.close(),
  );
  // Closed before: what is in a cage has ended when the cage goes.
  closing(launcher, (l) => l.close());
  warnOfPid1(log, process.platform === 'win32');
  const recentUse = await RecentUse.open(
    join(dataDirectory.path, 'plugin-use.json'),
    log.child({ component: 'supervision' }),
  );
  // The first call of a plugin would wait for a helper process and its trials, which need nothing of what is opened after this.
  // Let finish before the launcher closes, whose end would look like a refusal of the system.
  if (!recentUse.isEmpty) closing(cages.prepare(), (prepared) => prepared);
  const local = localPlugins({
    ...parts,
    launcher,
    isolation: cages,
    recentUse,
    runsUncalled: (identifier) => nodes?.placement.runsUncalled(identifier) ?? true,
    onReady: (identifier, ready) => nodes?.onPluginState(identifier, ready),
  });
  closing(local.environments, (e) => e.close());
  if (local.parents !== undefined) closing(local.parents, (p) => p.close());
  closing(local.housekeeping, (h) => h.close());
  closing(local.supervisor, (s) => s.close());
  const serverless = closing(serverlessPlatform(parts), (s) => s?.close());
  // What is said of the calls of single plugins counts for functions too, and nobody else looks at it then.
  if (serverless !== undefined) {
    void local.policies.look();
    closing(setInterval(() => void local.policies.look(), DESIRED_LOOK_MS).unref(), (timer) => clearInterval(timer));
  }
  // A plugin that was installed elsewhere is started, one that was removed ends.
  if (serverless === undefined)
    events?.on('row-changed', ({ table }) => table === 'installations' && local.supervisor.lookSoon());
  return { ...local, cages: cages.plugins, serverless };
}

/** Plugins take a parent that is PID 1 for a dead daemon (docs/wire/runtime-protocol.md#the-sdk-process). */
function warnOfPid1(log: OwnedLog, launchesDirectly: boolean): void {
  const finding = explainPid1({ launchesDirectly });
  if (finding !== undefined) log.warn({ remedy: finding.remedy }, finding.cause);
}
