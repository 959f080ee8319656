import type { ServerProcess } from './server-process.ts';
import type { TlsFiles } from './tls.ts';

/** What a service gets to be started with. */
export interface ServiceContext {
  /** A directory of its own that the server's user may write to. */
  readonly directory: string;
  readonly tls: TlsFiles;
  /** Those started before it. */
  readonly running: ReadonlyMap<string, RunningService>;
}

export interface RunningService {
  /** In the order of start; ended in reverse. */
  readonly processes: readonly ServerProcess[];
  readonly port: number;
  /** What tests find it by. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One row of the table of services. */
export interface ServiceSpec {
  /** Executables that have to be there. */
  readonly needs: readonly string[];
  /** Debian's packages with them. */
  readonly packages: readonly string[];
  /** The command that installs what is no package of Debian. */
  readonly install?: string;
  /** Services that have to run before. */
  readonly after?: readonly string[];
  /** The variables of its environment. */
  readonly exports: readonly string[];
  /** Resolves when it answers. */
  start(context: ServiceContext): Promise<RunningService>;
}

/** What to do about a service that is not there. */
export const howToInstall = ({ packages, install }: ServiceSpec): string =>
  install ?? `apt install ${packages.join(' ')}`;
