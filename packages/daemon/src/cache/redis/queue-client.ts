import { type Client, openPatientClient, type RedisServers } from './servers.ts';

export type QueueClient = Client;

/** A connection to the same servers for a library that waits for them by itself, and on them. The caller disconnects it. */
export async function openQueueClient(servers: RedisServers): Promise<QueueClient> {
  return openPatientClient(await import('ioredis'), servers);
}
