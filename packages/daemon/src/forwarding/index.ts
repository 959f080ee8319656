/**
 * Calls handed from node to node: the sender's side with its connections, and what a receiver has to know of a call that was handed over.
 * Owns the mark by which nodes know each other, the connections, and what is heard of each node on them. Touches the requests and answers
 * of clients only by passing them on. Called by http/ before a body is read; who is asked is decided by routing/.
 */
export { Forwarder, type ForwarderOptions, type Handover } from './forwarder.ts';
export { FORWARD_HEADER, type Mark, NodeMarks, nodeKeys, type Refusal } from './mark.ts';
export type { Answered, Heard, NodeTls, Question } from './peer.ts';
export { type Forwarded, ReceivedForwards } from './received.ts';
