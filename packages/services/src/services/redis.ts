import type { RunningService } from '../service.ts';
import { RedisServers } from './redis-servers.ts';

/** A Redis with password `secret`. */
export async function startRedis(): Promise<RunningService> {
  const servers = new RedisServers();
  const { process, port } = await servers.single({
    configuration: ['--requirepass', 'secret'],
    cli: ['-a', 'secret', '--no-auth-warning'],
  });
  return { processes: [process], port, environment: { TEST_REDIS_URL: `redis://:secret@127.0.0.1:${port}/0` } };
}
