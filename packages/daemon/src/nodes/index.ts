/**
 * The nodes of a deployment: that each is there, where it is reached, what it runs. Owns our own entry and lease, and what is known of the
 * others; nobody is elected and nothing is replicated. Touches Redis through the cache, under `v2:{nodes}` and in the hashes of the existing
 * daemon's cluster. Called by routing/ and forwarding/, which ask who there is, and by compose/, which says what runs here.
 */
export type { EntryChange, EntryPart, NodeDirectory, Renewal, Renewed } from './directory.ts';
export { entryParts, fingerprint, partOf } from './fingerprint.ts';
export { Membership, type MembershipOptions, type MembershipState, membershipTimes } from './membership.ts';
export { MemoryNodeDirectory } from './memory/index.ts';
export type { DebuggedPlugin, Member, NodeAddress, NodeEntry, NodeRole } from './node.ts';
export { PrimaryNodeDirectory, serveDirectory } from './primary/index.ts';
export { RedisNodeDirectory, UpstreamCluster } from './redis/index.ts';
