import { accessSettings } from './access.ts';
import { databaseSettings } from './database.ts';
import { installationSettings } from './installation.ts';
import { isolationSettings } from './isolation.ts';
import { nodeSettings } from './nodes.ts';
import { pluginSettings } from './plugins.ts';
import { redisSettings } from './redis.ts';
import { scalingSettings } from './scaling.ts';
import { serverSettings } from './server.ts';
import { serverlessSettings } from './serverless.ts';
import type { SettingsTable, ValuesOf } from './setting.ts';
import { sriSettings } from './sri.ts';
import { storageSettings } from './storage.ts';
import { telemetrySettings } from './telemetry.ts';

/** The groups in the order of the documentation. */
export const settingGroups = [
  { title: 'Server, keys and Dify', settings: serverSettings },
  { title: 'Access and limits of the HTTP server', settings: accessSettings },
  { title: 'Plugins', settings: pluginSettings },
  { title: 'Processes of plugins', settings: scalingSettings },
  { title: 'Isolation and limits of plugins', settings: isolationSettings },
  { title: 'Packages and Python environments', settings: installationSettings },
  { title: 'Storage', settings: storageSettings },
  { title: 'Database', settings: databaseSettings },
  { title: 'Redis', settings: redisSettings },
  { title: 'Several nodes, and stopping', settings: nodeSettings },
  { title: 'Log and telemetry', settings: telemetrySettings },
  { title: 'Serverless platform', settings: serverlessSettings },
  { title: 'Server of the serverless runtime interface', settings: sriSettings },
] as const satisfies readonly { readonly title: string; readonly settings: SettingsTable }[];

/** Every setting by the name of its variable. */
export const settingsTable = {
  ...serverSettings,
  ...accessSettings,
  ...pluginSettings,
  ...scalingSettings,
  ...isolationSettings,
  ...installationSettings,
  ...storageSettings,
  ...databaseSettings,
  ...redisSettings,
  ...nodeSettings,
  ...telemetrySettings,
  ...serverlessSettings,
  ...sriSettings,
};

/** Names of the variables whose values are secrets of the daemon; proxies are not: plugins may use them. */
export const secretSettings: ReadonlySet<string> = new Set(
  Object.entries(settingsTable)
    .filter(([name, setting]) => setting.secret && !name.endsWith('_PROXY'))
    .flatMap(([name, setting]) => [name, ...setting.aliases]),
);

/** The values of all settings that are secrets. */
export const secretValues = (settings: Readonly<Partial<SettingValues>>): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]: [string, unknown]) =>
    secretSettings.has(name) && typeof value === 'string' ? [value] : [],
  );

export type SettingName = keyof typeof settingsTable;
export type SettingValues = ValuesOf<typeof settingsTable>;
