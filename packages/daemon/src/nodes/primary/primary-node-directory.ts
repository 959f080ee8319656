import type { EventBus } from '../../events/index.ts';
import type { Caller, Channel } from '../../ipc/index.ts';
import type { NodeDirectory, Renewal, Renewed } from '../directory.ts';

/** What workers ask of the primary process. */
export interface DirectoryCalls {
  renewNode(renewal: Renewal): Renewed;
  leaveNodes(id: string): void;
}

export interface PrimaryNodeDirectoryOptions {
  readonly channel: Channel;
  readonly events: Pick<EventBus, 'on' | 'publish'>;
}

export class PrimaryNodeDirectory implements NodeDirectory {
  readonly #primary: Caller<DirectoryCalls>;
  readonly #events: Pick<EventBus, 'on' | 'publish'>;

  constructor({ channel, events }: PrimaryNodeDirectoryOptions) {
    this.#primary = channel.caller<DirectoryCalls>();
    this.#events = events;
  }

  async renew(renewal: Renewal): Promise<Renewed> {
    return await this.#primary.call('renewNode', renewal);
  }

  async leave(id: string): Promise<void> {
    await this.#primary.call('leaveNodes', id);
  }

  watch(listener: () => void): () => void {
    return this.#events.on('nodes-changed', listener);
  }

  announce(): void {
    this.#events.publish('nodes-changed', {});
  }
}

/** Lets one worker use a directory of this process. */
export function serveDirectory(channel: Channel, directory: NodeDirectory): void {
  channel.serve<DirectoryCalls>({
    renewNode: (renewal) => directory.renew(renewal),
    leaveNodes: (id) => directory.leave(id),
  });
}
