/**
 * Calls between the processes of one daemon: a primary process and its workers, over the channel that Node opens with a fork.
 *
 * Owns the messages on that channel and who waits for an answer; knows nothing of what is asked. Both ends are the same program, so values
 * arrive as they were sent. Called by the drivers of cache, nodes and jobs that ask the primary process, and by workers/.
 */
export { type Caller, Channel, type Handlers, type Wire } from './channel.ts';
export { parentWire } from './wires.ts';
