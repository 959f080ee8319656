import { isAbsolute, relative } from 'node:path';
import type { PluginLimits } from '@plugin-daemon/plugin-host/isolation';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import type { EgressPolicy } from '../../egress/index.ts';
import type { BuiltFunction } from '../backend.ts';

/** What is sent to the cluster, as plain values. */

export const OWNER = 'dify.sri/owner';
export const FUNCTION = 'dify.sri/function';
/** The label of this server's own pods, which its manifest has to carry. */
export const SERVER = { 'dify.sri/role': 'server' } as const;
export const PORT = 8080;

export interface JobRequest {
  readonly name: string;
  readonly owner: string;
  readonly function: BuiltFunction;
  readonly image: string;
  /** The volume that holds the data directory of this server. */
  readonly claim: string;
  readonly dataDirectory: string;
  readonly toolsPath: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly limits: PluginLimits;
  readonly environment: Readonly<Record<string, string>>;
  readonly graceSeconds: number;
}

const DATA = 'data';
const TEMPORARY = 'temporary';

/** A job is one instance: which of several goes is this server's to decide, which no Deployment lets it. */
export function jobOf(request: JobRequest): object {
  const { name, owner, function: target, image, claim, user, limits, environment } = request;
  const labels = { [OWNER]: owner, [FUNCTION]: target.record.name };
  const shown = [target.directory, request.toolsPath].map((path) => ({
    name: DATA,
    mountPath: path,
    subPath: below(request.dataDirectory, path),
    readOnly: true,
  }));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      backoffLimit: 0,
      // If this server does not come back.
      ttlSecondsAfterFinished: 300,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: request.graceSeconds,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: user.uid,
            runAsGroup: user.gid,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'function',
              image,
              command: [target.python, ...bootstrapArguments(target.record.runner.entrypoint)],
              workingDir: target.directory,
              env: Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
              ports: [{ containerPort: PORT }],
              terminationMessagePolicy: 'FallbackToLogsOnError',
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              resources: {
                limits: {
                  ...(limits.memoryBytes !== undefined && { memory: String(limits.memoryBytes) }),
                  ...(limits.cpuPercent !== undefined && { cpu: `${limits.cpuPercent * 10}m` }),
                },
              },
              volumeMounts: [...shown, { name: TEMPORARY, mountPath: '/tmp' }],
            },
          ],
          volumes: [
            { name: DATA, persistentVolumeClaim: { claimName: claim, readOnly: true } },
            { name: TEMPORARY, emptyDir: { sizeLimit: '1Gi' } },
          ],
        },
      },
    },
  };
}

/** @throws when the path is not on the volume */
function below(root: string, path: string): string {
  const inside = relative(root, path);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside))
    throw new Error(`${path} is not on the volume of SRI_DATA_DIR (${root}), so no pod can see it`);
  return inside;
}

/** Functions are called by this server alone, and connect to where the policy lets them: hosts are named by the proxy that it opens. */
export const networkPolicyOf = (
  name: string,
  owner: string,
  policy: EgressPolicy,
  wayOutPort: number | undefined,
): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, labels: { [OWNER]: owner } },
  spec: {
    podSelector: { matchLabels: { [OWNER]: owner } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ podSelector: { matchLabels: SERVER } }], ports: [{ protocol: 'TCP', port: PORT }] }],
    egress:
      policy === 'all'
        ? [{}]
        : [
            ...(wayOutPort === undefined
              ? []
              : [{ to: [{ podSelector: { matchLabels: SERVER } }], ports: [{ protocol: 'TCP', port: wayOutPort }] }]),
            // Names of services are resolved by the cluster; what cannot be reached may still be asked for.
            {
              ports: [
                { protocol: 'UDP', port: 53 },
                { protocol: 'TCP', port: 53 },
              ],
              to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
            },
          ],
  },
});
