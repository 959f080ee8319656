import { expect, test } from 'vitest';
import { parseHierarchies } from './control-group-places.ts';

const line = (root: string, at: string, kind: string, options: string) =>
  `30 23 0:26 ${root} ${at} rw,nosuid - ${kind} ${kind} ${options}`;
const read = async (path: string) => (path.endsWith('cgroup.controllers') ? 'cpu memory pids\n' : '');

test('version 2 alone: the own group, with the controllers that were handed to it', async () => {
  const mounts = line('/', '/sys/fs/cgroup', 'cgroup2', 'rw');
  expect(await parseHierarchies(mounts, '0::/system.slice/daemon.service\n', read)).toEqual([
    {
      own: '/sys/fs/cgroup/system.slice/daemon.service',
      version: 2,
      controllers: new Set(['cpu', 'memory', 'pids']),
    },
  ]);
});

test('version 1: each controller where it is mounted, paths with colons and shared mounts included', async () => {
  const mounts = [
    line('/', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory'),
    line('/', '/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct'),
    line('/', '/sys/fs/cgroup/systemd', 'cgroup', 'rw,name=systemd'),
    'broken',
  ].join('\n');
  const own = '4:memory:/a:b\n3:cpu,cpuacct:/\n1:name=systemd:/x\n';
  expect((await parseHierarchies(mounts, own, read)).map((one) => [one.own, one.version, ...one.controllers])).toEqual([
    ['/sys/fs/cgroup/memory/a:b', 1, 'memory'],
    ['/sys/fs/cgroup/cpu,cpuacct', 1, 'cpu', 'cpuacct'],
    ['/sys/fs/cgroup/systemd/x', 1, 'name=systemd'],
  ]);
});

test('in a container the mount may begin at the own group', async () => {
  const mounts = line('/docker/abc', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory');
  const [found] = await parseHierarchies(mounts, '4:memory:/docker/abc\n', read);
  expect(found?.own).toBe('/sys/fs/cgroup/memory');
});

test('version 2 comes first where both are there', async () => {
  const mounts = [line('/', '/v1', 'cgroup', 'rw,memory'), line('/', '/v2', 'cgroup2', 'rw')].join('\n');
  expect((await parseHierarchies(mounts, '4:memory:/\n0::/\n', read)).map((one) => one.version)).toEqual([2, 1]);
});
