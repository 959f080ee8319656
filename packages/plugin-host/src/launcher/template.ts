import type { LaunchSpec, PluginProcess } from './process-launcher.ts';

/**
 * A plugin's process that has imported everything and forks instances of the plugin, which share its memory and its cage: user, files and
 * processes that they see. Limits by control groups are each instance's own.
 */
export interface Template {
  readonly pid: number;
  readonly isGone: boolean;
  /** Settles when it has ended, with all its instances, and nothing uses its cage. */
  readonly gone: Promise<void>;
  /** @param spec only its control groups count. @throws when it could not be forked; HelperGone */
  launch(spec: LaunchSpec): Promise<PluginProcess>;
  /** Ends it, with its instances. */
  end(): void;
}

/** What became of a process that might have become a template. */
export type TemplateOutcome = { readonly template: Template } | { readonly declined: string };
