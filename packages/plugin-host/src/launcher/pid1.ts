/** A finding about the daemon being the first process of its container, ready to be shown to an operator. */
export interface Pid1Finding {
  /** `harmless`: the launcher process stands between the daemon and its plugins. */
  readonly severity: 'harmless' | 'fatal';
  readonly cause: string;
  readonly remedy: string;
}

/**
 * Plugins on the SDK look at their parent's pid every half second and leave with status 255 when it is 1, which they
 * take for "the daemon has died" (docs/wire/runtime-protocol.md#the-sdk-process). Plugins started directly by a daemon that is PID 1
 * therefore die right after their start without a word. Undefined when the daemon is not PID 1.
 */
export function explainPid1(options: { pid?: number; launchesDirectly: boolean }): Pid1Finding | undefined {
  if ((options.pid ?? process.pid) !== 1) return undefined;
  if (!options.launchesDirectly) {
    return {
      severity: 'harmless',
      cause:
        'The daemon is PID 1. Its plugins are children of the launcher process, so they do not mistake it for a dead parent.',
      remedy:
        'Nothing has to be done. An init (docker run --init, tini) also collects zombies that plugins leave behind.',
    };
  }
  return {
    severity: 'fatal',
    cause:
      'The daemon is PID 1 and starts plugins directly: every plugin built on the SDK exits with status 255 within a second, because it takes a parent with PID 1 for a dead daemon.',
    remedy:
      'Run the daemon under an init: docker run --init, "init: true" in a compose file, shareProcessNamespace in Kubernetes, or tini as the entry point.',
  };
}
