/** The nodes of a deployment, written down in Redis. */
export { RedisNodeDirectory, type RedisNodeDirectoryOptions } from './redis-node-directory.ts';
export { UpstreamCluster, type UpstreamClusterOptions } from './upstream-cluster.ts';
