import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { executable } from '../executables.ts';
import { ServerProcess } from '../server-process.ts';
import type { RunningService, ServiceContext } from '../service.ts';

const IMAGE = 'localhost/system:test';
/** cgroups are used directly, as there is no systemd everywhere; runc, because crun refuses machines with both kinds of cgroups. */
const CONFIGURATION = `[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
`;

/** The API of Podman on a Unix socket, with stores of its own, and an image that is a frame for this machine's own system. */
export async function startPodman({ directory }: ServiceContext): Promise<RunningService> {
  const configuration = join(directory, 'containers.conf');
  writeFileSync(configuration, CONFIGURATION);
  // The path of a socket may not be longer than 107 bytes, and this one lies not far below the temporary directory.
  const socket = join(directory, 'api');
  const podman = [
    executable('env'),
    `CONTAINERS_CONF=${configuration}`,
    executable('podman'),
    '--root',
    join(directory, 'store'),
    '--runroot',
    join(directory, 'run'),
    '--runtime',
    executable('runc'),
    // Without mounts of its own, which would outlive it.
    '--storage-driver',
    'vfs',
  ] as const;
  execFileSync(podman[0], [...podman.slice(1), 'import', frameImage(directory), IMAGE], { stdio: 'pipe' });
  const server = new ServerProcess({
    name: 'podman',
    command: [...podman, 'system', 'service', '--time', '0', `unix://${socket}`],
    logFile: join(directory, 'podman.log'),
    ask: () => ping(socket),
    stopSignal: 'SIGTERM',
  });
  await server.start();
  return {
    processes: [server],
    port: 0,
    environment: { TEST_PODMAN_SOCKET: socket, TEST_PODMAN_IMAGE: IMAGE },
  };
}

/** Empty directories where this machine's own are mounted: no image has to be fetched, and its Python is there. */
function frameImage(directory: string): string {
  const root = join(directory, 'frame');
  for (const name of ['usr', 'etc', 'tmp', 'proc', 'dev', 'sys', 'run', 'var'])
    mkdirSync(join(root, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(join('usr', name), join(root, name));
  const archive = join(directory, 'frame.tar');
  execFileSync(executable('tar'), ['-C', root, '-cf', archive, '.']);
  return archive;
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path: '/_ping', timeout: 5000 }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`status ${response.statusCode}`));
    });
    asking.once('timeout', () => asking.destroy(new Error('it is slow')));
    asking.once('error', reject);
    asking.end();
  });
}
