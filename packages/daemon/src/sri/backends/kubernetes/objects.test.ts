import { expect, test } from 'vitest';
import { jobOf, networkPolicyOf } from './objects.ts';

const limits = {
  memoryBytes: 256 * 1024 * 1024,
  processes: undefined,
  openFiles: undefined,
  fileBytes: undefined,
  cpuPercent: undefined,
  memoryText: '',
};
const target = {
  record: {
    name: 'fn-described',
    identifier: `tests/described:0.0.1@${'a'.repeat(64)}`,
    pluginId: 'tests/described',
    fileName: '',
    token: '',
    runner: { language: 'python', version: '3.12', entrypoint: 'main' },
    memory: 1024,
    launchedAt: 0,
  },
  directory: '/data/cwd/tests/described',
  python: '/data/cwd/tests/described/.venv/bin/python',
  fresh: false,
};

test('a pod holds its function in, and its network is the policy', () => {
  const request = {
    name: 'fn-x-1',
    owner: 'o',
    function: target,
    image: 'system',
    claim: 'sri',
    dataDirectory: '/data',
    toolsPath: '/data/tools',
    user: { uid: 65_534, gid: 65_534 },
    limits: limits,
    environment: { A: 'b' },
    graceSeconds: 2,
  };
  expect(jobOf(request)).toMatchObject({
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              resources: { limits: { memory: String(256 * 1024 * 1024) } },
              volumeMounts: [{ readOnly: true }, { readOnly: true }, { mountPath: '/tmp' }],
            },
          ],
        },
      },
    },
  });
  expect(() => jobOf({ ...request, dataDirectory: '/elsewhere' })).toThrow('not on the volume');
  expect(networkPolicyOf('n', 'o', 'all', undefined)).toMatchObject({ spec: { egress: [{}] } });
  const closed = JSON.stringify(networkPolicyOf('n', 'o', [], 5005));
  expect(closed).toContain('"port":5005');
  expect(closed).not.toContain('{}]');
});
