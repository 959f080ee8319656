import type { PluginSource } from '../source/source.ts';

/** What the plugin runs for: a Dify, or this terminal. */
export interface DevTarget {
  /** Starts the plugin anew and, once it is ready, lets the old one finish and end. */
  replace(plugin: DevPlugin): Promise<void>;
  close(): Promise<void>;
}

export interface DevPlugin {
  source: PluginSource;
  python: string;
  directory: string;
  entrypoint: string;
}
