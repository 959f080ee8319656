import { type Caller, Channel, type Handlers } from '../ipc/index.ts';
import type { PrimaryCalls, WorkerCalls } from './contract.ts';
import type { WorkerProcess } from './worker-process.ts';

/** One worker, as its primary process knows it. */
export class Worker {
  readonly index: number;
  readonly process: WorkerProcess;
  readonly channel: Channel;
  readonly calls: Caller<WorkerCalls>;
  /** As whom it is known to the other nodes. */
  nodeId: string | undefined;
  /** Its clients have their answers, and no more come. */
  hasServed = false;
  serves = false;
  /** Pings since its last answer. */
  unanswered = 0;

  constructor(index: number, process: WorkerProcess, handlers: Handlers<PrimaryCalls>) {
    this.index = index;
    this.process = process;
    this.channel = new Channel(process.wire);
    this.calls = this.channel.caller<WorkerCalls>();
    this.channel.serve<PrimaryCalls>(handlers);
  }
}
