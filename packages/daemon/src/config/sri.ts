import { parseEgress } from './egress.ts';
import { choice, InvalidValue, integer, path, port, setting, text, url } from './setting.ts';

const own = { usedBy: 'sri', own: true } as const;

/** The server of the serverless runtime interface (`npm start -- sri`). */
export const sriSettings = {
  SRI_DATA_DIR: path({
    ...own,
    default: 'data-sri',
    defaultText: '`DATA_DIR` with `-sri` behind it',
    meaning:
      'Directory of everything this server keeps: functions, their packages, environments, its key, fetched tools. One server at a time, and not the `DATA_DIR` of a daemon.',
  }),
  SRI_HOST: text({
    ...own,
    default: '127.0.0.1',
    defaultText: '`127.0.0.1`; `0.0.0.0` when `SRI_API_KEY` is configured',
    meaning: 'Address the server binds.',
  }),
  SRI_PORT: port({ ...own, default: 5004, meaning: 'Port of the server; 0: one that the system chooses.' }),
  SRI_API_KEY: text({
    ...own,
    secret: true,
    defaultText: 'generated at first start into `SRI_DATA_DIR/keys/sri-api-key`',
    meaning:
      'Key that daemons send as `Authorization`: their `DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY`. Who has it can run code here.',
  }),
  SRI_API_KEY_PREVIOUS: text({
    ...own,
    secret: true,
    defaultText: 'the content of `SRI_DATA_DIR/keys/sri-api-key.previous`, if there is that file',
    meaning: 'The former key, accepted beside it while daemons change over; the log tells while it is in use.',
  }),
  SRI_PUBLIC_URL: url({
    ...own,
    defaultText: 'the address at which the daemon asks',
    meaning:
      'Base of the addresses of functions. Daemons keep them in their database: set it where this server moves or stands behind a proxy.',
  }),
  SRI_DAEMON_URL: url({
    ...own,
    default: 'http://127.0.0.1:5002',
    meaning:
      'Where functions call back: the address of the daemon, or of the load balancer before several, as functions reach it.',
  }),
  SRI_BACKEND: choice(
    { process: 'process', container: 'container', kubernetes: 'kubernetes' },
    {
      ...own,
      default: 'process',
      meaning:
        'What instances of functions are: `process`: processes of this machine, held in as `PLUGIN_ISOLATION` says; `container`: containers of Docker or Podman; `kubernetes`: pods of the cluster that this server is part of.',
    },
  ),
  SRI_CONTAINER_SOCKET: path({
    ...own,
    default: '/var/run/docker.sock',
    meaning: 'Unix socket of the container engine; of Podman it is often `/run/podman/podman.sock`.',
  }),
  SRI_CONTAINER_IMAGE: text({
    ...own,
    meaning:
      'Image of function containers and pods: a system with the Python that environments are made with (one that uv fetched is mounted), and the libraries that plugins need. Needed by both of these back ends; a container engine has to have it.',
  }),
  SRI_CONTAINER_NETWORK: text({
    ...own,
    default: 'bridge',
    meaning: 'Network of function containers while `SRI_EGRESS` is `all`; otherwise they have none.',
  }),
  SRI_CONTAINER_USER: setting('text', parseUser, {
    ...own,
    default: { uid: 65_534, gid: 65_534 },
    defaultText: '`65534:65534`; the own user where this server is not root',
    meaning: 'User and group in function containers and pods.',
  }),
  SRI_KUBERNETES_API: url({
    ...own,
    defaultText: 'the API server of the cluster that this server runs in',
    meaning: 'Address of the API server.',
  }),
  SRI_KUBERNETES_TOKEN_FILE: path({
    ...own,
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    meaning: 'File with the token of the service account; read again each minute.',
  }),
  SRI_KUBERNETES_CA_FILE: path({
    ...own,
    default: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
    meaning: 'File with the certificate authority of the API server.',
  }),
  SRI_KUBERNETES_NAMESPACE: text({
    ...own,
    defaultText: 'the one that this server runs in',
    meaning: 'Namespace of the jobs of functions.',
  }),
  SRI_KUBERNETES_CLAIM: text({
    ...own,
    meaning:
      'PersistentVolumeClaim whose volume is `SRI_DATA_DIR` of this server; pods of functions mount it read-only, so several nodes have to be able to (ReadWriteMany). Must be there for `SRI_BACKEND=kubernetes`.',
  }),
  SRI_KUBERNETES_WAY_OUT: url({
    ...own,
    meaning:
      'Where pods of functions reach this server to connect to what `SRI_EGRESS` allows, such as `http://dify-sri:5005`; this server listens on its port. Needed unless `SRI_EGRESS` is `all`.',
  }),
  SRI_EGRESS: setting('list', parseEgress, {
    ...own,
    default: 'all',
    meaning:
      'Where functions may connect to: `all`; `none`; or hosts (`api.example.org`, `*.example.org`, with `:port` for that port alone) and networks (`10.0.0.0/8`). Unless it is `all` they have no network but a proxy, which `HTTP_PROXY` and its like name; the daemon they can always call back.',
  }),
  SRI_MIN_INSTANCES: integer({
    ...own,
    default: 0,
    max: 1000,
    meaning:
      'Instances of each function that run whether or not it is called; 0: functions sleep when nobody calls them.',
  }),
  SRI_MAX_INSTANCES: integer({ ...own, default: 4, min: 1, max: 1000, meaning: 'Instances of each function at most.' }),
  SRI_TARGET_CONCURRENCY: integer({
    ...own,
    default: 20,
    min: 1,
    meaning: 'Open calls for which one instance is meant: more of them want another instance.',
  }),
  SRI_MAX_CONCURRENCY: integer({
    ...own,
    default: 1000,
    min: 1,
    meaning: 'Open calls that one instance is given at most; `MAX_WORKER` of the SDK is what it works on at once.',
  }),
  SRI_STABLE_WINDOW: integer({
    ...own,
    default: 60,
    min: 1,
    unit: 's',
    meaning: 'The number of instances follows the average of the open calls over this time.',
  }),
  SRI_BURST_WINDOW: integer({
    ...own,
    default: 6,
    min: 1,
    unit: 's',
    meaning: 'The same while calls come in a burst; nothing is scaled down within a stable window after it.',
  }),
  SRI_IDLE_TIMEOUT: integer({
    ...own,
    default: 300,
    min: 1,
    unit: 's',
    meaning: 'A function that nobody has called for so long is scaled down to `SRI_MIN_INSTANCES`.',
  }),
  SRI_QUEUE_LIMIT: integer({
    ...own,
    default: 1000,
    min: 1,
    meaning: 'Calls that may wait for one function to wake or to have room; further ones are answered with 429.',
  }),
  SRI_QUEUE_TIMEOUT: integer({
    ...own,
    default: 120,
    min: 1,
    unit: 's',
    meaning: 'Longest wait of a call for an instance.',
  }),
  SRI_LAUNCH_TIMEOUT: integer({
    ...own,
    default: 600,
    min: 1,
    unit: 's',
    meaning:
      'Longest launch. The daemon gives up after its own `DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT`; the launch goes on, and the next one joins it.',
  }),
  SRI_MAX_REQUEST_BYTES: integer({
    ...own,
    default: 16_777_216,
    min: 65_536,
    unit: 'bytes',
    meaning: 'Largest call of a function; daemons send at most their `MAX_SERVERLESS_REQUEST_BYTES`.',
  }),
  SRI_MAX_FUNCTIONS: integer({
    ...own,
    default: 1000,
    min: 1,
    meaning: 'Functions that are kept. Daemons never remove one: operators do.',
  }),
};

function parseUser(raw: string): { readonly uid: number; readonly gid: number } {
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(raw);
  if (match === null)
    throw new InvalidValue('is not a user id and a group id', 'write it as uid:gid, such as 1000:1000');
  return { uid: Number(match[1]), gid: Number(match[2]) };
}
