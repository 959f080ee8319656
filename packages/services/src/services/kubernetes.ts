import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable } from '../executables.ts';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { askKubernetes } from './kubernetes-client.ts';

const NAMESPACE = 'functions';
const ACCOUNT = 'dify-sri';
const ADMIN = randomBytes(16).toString('hex');

/**
 * The control plane of a cluster: etcd, the API server, and the controllers that make pods of jobs and collect what is left. It has no
 * machines: whoever needs pods that run plays the kubelet. In the namespace `functions`, which admits restricted pods alone, the account
 * `dify-sri` has the rights that docs/sri.md asks for, and nothing else.
 */
export async function startKubernetes({ directory, tls }: ServiceContext): Promise<RunningService> {
  const at = (name: string): string => join(directory, name);
  const [clients, peers, port] = [await reservePort(), await reservePort(), await reservePort()];
  const url = `https://127.0.0.1:${port}`;
  const etcdUrl = `http://127.0.0.1:${clients}`;
  const cluster = askKubernetes(url, tls.ca, ADMIN);

  const etcd = new ServerProcess({
    name: 'etcd',
    command: [
      executable('etcd'),
      ...['--data-dir', at('etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
      ...['--listen-peer-urls', `http://127.0.0.1:${peers}`, '--unsafe-no-fsync', '--log-level', 'warn'],
    ],
    logFile: at('etcd.log'),
    ask: async () => void (await fetch(`${etcdUrl}/health`, { signal: AbortSignal.timeout(2000) })),
    stopSignal: 'SIGTERM',
  });

  writeFileSync(at('tokens.csv'), `${ADMIN},admin,admin,system:masters\n`, { mode: 0o600 });
  const api = new ServerProcess({
    name: 'kube-apiserver',
    command: [
      executable('kube-apiserver'),
      ...[
        '--etcd-servers',
        etcdUrl,
        '--bind-address',
        '127.0.0.1',
        '--advertise-address',
        '127.0.0.1',
        '--secure-port',
        String(port),
      ],
      ...['--tls-cert-file', tls.serverCert, '--tls-private-key-file', tls.serverKey, '--cert-dir', directory],
      ...['--token-auth-file', at('tokens.csv'), '--authorization-mode', 'RBAC', '--anonymous-auth=false'],
      ...['--service-account-issuer', url, '--service-account-key-file', tls.serverCert],
      ...['--service-account-signing-key-file', tls.serverKey, '--service-cluster-ip-range', '10.0.0.0/24'],
      ...['--endpoint-reconciler-type', 'none', '--watch-cache=true'],
    ],
    logFile: at('api.log'),
    ask: () => cluster('GET', '/readyz'),
    stopSignal: 'SIGTERM',
  });

  const kubeconfig = at('controllers.json');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'own', cluster: { server: url, 'certificate-authority': tls.ca } }],
      users: [{ name: 'admin', user: { token: ADMIN } }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
      'current-context': 'own',
    }),
    { mode: 0o600 },
  );
  const controllers = new ServerProcess({
    name: 'kube-controller-manager',
    command: [
      executable('kube-controller-manager'),
      ...['--kubeconfig', kubeconfig, '--leader-elect=false', '--bind-address', '127.0.0.1', '--secure-port', '0'],
      ...['--controllers', 'job-controller,garbage-collector-controller,ttl-after-finished-controller'],
      ...['--controllers', 'serviceaccount-controller,namespace-controller'],
      ...['--service-account-private-key-file', tls.serverKey],
    ],
    logFile: at('controllers.log'),
    // Without the account that it makes in every namespace, no pod is admitted.
    ask: () => cluster('GET', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`),
    stopSignal: 'SIGTERM',
  });

  const processes: ServerProcess[] = [];
  try {
    for (const process of [etcd, api]) {
      processes.push(process);
      await process.start();
    }
    for (const [path, object] of objects) await cluster('POST', path, object);
    processes.push(controllers);
    await controllers.start();
    const { status } = await cluster('POST', `${accounts}/${ACCOUNT}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 24 * 3600 },
    });
    writeFileSync(at('token'), String(status?.token), { mode: 0o600 });
    writeFileSync(at('admin-token'), ADMIN, { mode: 0o600 });
  } catch (error) {
    for (const process of processes.toReversed()) await process.stop();
    throw error;
  }
  return {
    processes,
    port,
    environment: {
      TEST_KUBERNETES_URL: url,
      TEST_KUBERNETES_CA: tls.ca,
      TEST_KUBERNETES_TOKEN_FILE: at('token'),
      TEST_KUBERNETES_ADMIN_TOKEN_FILE: at('admin-token'),
    },
  };
}

const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
const RBAC = { apiVersion: 'rbac.authorization.k8s.io/v1' };

/** What an operator makes before the server starts: the rules are those of docs/sri.md. */
const objects: readonly (readonly [path: string, object: object])[] = [
  [
    '/api/v1/namespaces',
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
  ],
  [accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT } }],
  [
    `${roles}/roles`,
    {
      ...RBAC,
      kind: 'Role',
      metadata: { name: ACCOUNT },
      rules: [
        {
          apiGroups: ['batch'],
          resources: ['jobs'],
          verbs: ['create', 'patch', 'get', 'list', 'delete', 'deletecollection'],
        },
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['create', 'patch'] },
      ],
    },
  ],
  [
    `${roles}/rolebindings`,
    {
      ...RBAC,
      kind: 'RoleBinding',
      metadata: { name: ACCOUNT },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: ACCOUNT },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
    },
  ],
];
