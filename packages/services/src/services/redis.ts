import type { RunningService, ServiceContext } from '../service.ts';
import { RedisServers } from './redis-servers.ts';

/** A Redis with password `secret`. */
export async function startRedis({ directory }: ServiceContext): Promise<RunningService> {
  const servers = new RedisServers(directory);
  const { process, port } = await servers.single({
    configuration: ['--requirepass', 'secret'],
    cli: ['-a', 'secret', '--no-auth-warning'],
  });
  return { processes: [process], port, environment: { TEST_REDIS_URL: `redis://:secret@127.0.0.1:${port}/0` } };
}
