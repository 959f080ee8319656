/** What one plugin process may use, from the settings and its manifest. */
import type { Cage } from '../launcher/index.ts';
import type { ControlGroup } from './control-groups.ts';

export interface LimitOptions {
  /** `resource.memory` is multiplied by this; 0 sets no limit of memory. */
  readonly memoryFactor: number;
  /** No plugin gets less; bytes. Many manifests name a megabyte. */
  readonly memoryFloor: number;
  /** Processes and threads together. 0: no limit, here and below. */
  readonly processes: number;
  readonly openFiles: number;
  readonly fileBytes: number;
  /** Percent of one core. */
  readonly cpuPercent: number;
}

export interface PluginLimits {
  readonly memoryBytes: number | undefined;
  readonly processes: number | undefined;
  readonly openFiles: number | undefined;
  readonly fileBytes: number | undefined;
  readonly cpuPercent: number | undefined;
  /** Where the limit of memory comes from, for messages. */
  readonly memoryText: string;
}

const MIB = 1024 * 1024;
const orNone = (value: number): number | undefined => (value > 0 ? value : undefined);

/** @param declared `resource.memory` of the manifest, bytes; a foreign value */
export function pluginLimits(declared: number, options: LimitOptions): PluginLimits {
  const asked = Number.isFinite(declared) && declared > 0 ? declared : 0;
  const product = Math.min(asked * options.memoryFactor, Number.MAX_SAFE_INTEGER);
  const memoryBytes = options.memoryFactor === 0 ? undefined : Math.ceil(Math.max(product, options.memoryFloor));
  const source =
    product > options.memoryFloor
      ? `${mib(asked)} in the manifest's resource.memory times PLUGIN_MEMORY_FACTOR`
      : 'PLUGIN_MEMORY_FLOOR';
  return {
    memoryBytes,
    processes: orNone(options.processes),
    openFiles: orNone(options.openFiles),
    fileBytes: orNone(options.fileBytes),
    cpuPercent: orNone(options.cpuPercent),
    memoryText: memoryBytes === undefined ? '' : `its memory limit of ${mib(memoryBytes)} (${source})`,
  };
}

const mib = (bytes: number): string => `${Math.round((bytes / MIB) * 10) / 10} MiB`;

/** A limit of memory as the runtime needs it. */
export interface MemoryLimit {
  readonly bytes: number;
  /** It with its source, for the error of its sessions. */
  readonly text: string;
  /** Nobody else looks: the runtime has to. */
  readonly watch: boolean;
}

/** @param held by the kernel */
export const memoryLimit = ({ memoryBytes, memoryText }: PluginLimits, held: boolean): MemoryLimit | undefined =>
  memoryBytes === undefined ? undefined : { bytes: memoryBytes, text: memoryText, watch: !held };

/** Without a share of its own, a plugin gives way to the daemon. */
const NICE = 5;

/** @param isolated the kernel counts processes per user: for the daemon's own it would count its other processes too */
export function limitsOfCage(limits: PluginLimits, group: ControlGroup, isolated: boolean): Cage {
  const { processes, openFiles, fileBytes } = limits;
  return {
    groups: group.groups,
    ...(group.memoryGroup && { memoryGroup: group.memoryGroup }),
    limits: {
      CORE: 0,
      ...(openFiles !== undefined && { NOFILE: openFiles }),
      ...(fileBytes !== undefined && { FSIZE: fileBytes }),
      ...(processes !== undefined && isolated && !group.holds.processes && { NPROC: processes }),
    },
    ...(!group.holds.cpu && { nice: NICE }),
  };
}
