import { availableParallelism } from 'node:os';
import { choice, InvalidValue, integer, list, path, port, setting, text } from './setting.ts';

const MOST_WORKERS = 256;

function parseWorkers(raw: string): number {
  if (raw.toLowerCase() === 'auto') return Math.min(availableParallelism(), MOST_WORKERS);
  const count = /^\d{1,9}$/.test(raw) ? Number(raw) : Number.NaN;
  if (count >= 1 && count <= MOST_WORKERS) return count;
  throw new InvalidValue(
    'is no number of workers',
    `write a whole number from 1 to ${MOST_WORKERS}, or auto for one on each core that this daemon may use`,
  );
}

const nodes = { usedBy: 'nodes', own: true } as const;

/** Several nodes, and how one of them stops. Source: docs/scaling.md. */
export const nodeSettings = {
  WORKERS: setting('integer or `auto`', parseWorkers, {
    usedBy: 'workers',
    own: true,
    default: 1,
    meaning:
      'Processes that share the ports and the work of this daemon, each of which uses a core; `auto`: as many as there are cores for it (control groups count). Limits and budgets hold for each of them.',
  }),
  NODE_NAME: text({
    ...nodes,
    defaultText: 'the name of the machine',
    meaning: 'What this node is called in logs and in `PLACEMENT_PINS`. Names need not differ.',
  }),
  NODE_ROLE: choice(
    { all: 'all', front: 'front', runner: 'runner' },
    {
      ...nodes,
      default: 'all',
      meaning:
        '`all`: takes calls and runs plugins; `front`: takes calls, and hands them to nodes that run plugins; `runner`: the same as `all`, and balancers need not know it.',
    },
  ),
  NODE_ADDRESS: text({
    ...nodes,
    defaultText: 'the address the server is bound to, or those of the network interfaces',
    meaning: 'Where the other nodes reach this one: a host, or `host:port`.',
    refuse: (value) => {
      if (/^(?:[^\s:/]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(value)) return;
      throw new InvalidValue(
        'is no host with an optional port',
        'write it as host or host:port, [address]:port for IPv6',
      );
    },
  }),
  NODE_PORT: port({
    ...nodes,
    default: 0,
    meaning:
      'Port for what other nodes hand over. 0: `SERVER_PORT` takes it. A port of its own may speak TLS. With `WORKERS`, the first of as many ports; 0: free ones.',
  }),
  NODE_HOST: text({ ...nodes, defaultText: '`SERVER_HOST`', meaning: 'Address that `NODE_PORT` is bound to.' }),
  NODE_KEY: text({
    ...nodes,
    secret: true,
    defaultText: 'derived from `SERVER_KEY`',
    meaning: 'Secret by which nodes know each other; the same on all of them.',
  }),
  NODE_TLS_CERTFILE: path({
    ...nodes,
    meaning: 'PEM file of the certificate that this node shows to the others, on `NODE_PORT` and when it calls them.',
  }),
  NODE_TLS_KEYFILE: path({ ...nodes, meaning: 'PEM file of its key.' }),
  NODE_TLS_CA_CERTS: path({
    ...nodes,
    meaning:
      'PEM file of the authorities that sign the certificates of nodes; a node without one of theirs is let in by nobody.',
  }),
  PLACEMENT_RULE: choice(
    { every: 'every', demand: 'demand', pinned: 'pinned' },
    {
      ...nodes,
      default: 'every',
      meaning:
        'Which nodes run a plugin. `every`: all of them, as with the existing daemon; `demand`: where it is called, on further nodes while those are busy; `pinned`: on the nodes that `PLACEMENT_PINS` names, others by demand.',
    },
  ),
  PLACEMENT_PINS: list({
    ...nodes,
    default: [],
    meaning:
      'Where plugins run, as `author/name=node`, with several entries for several nodes; `*` for every other plugin.',
    refuse: (pins) => {
      const wrong = pins.find((pin) => !/^(?:\*|[^=\s]+\/[^=\s]+)=[^=\s]+$/.test(pin));
      if (wrong === undefined) return;
      throw new InvalidValue('has an entry that pins nothing', 'write entries such as langgenius/openai=node-1');
    },
  }),
  PLACEMENT_MAX_NODES: integer({
    ...nodes,
    default: 0,
    meaning: 'On how many nodes a plugin runs at most when it is placed by demand; 0 sets no limit.',
  }),
  SHUTDOWN_BALANCER_SECONDS: integer({
    usedBy: 'compose',
    own: true,
    default: 5,
    defaultText: '5 with Redis, else 0',
    unit: 's',
    meaning:
      'After SIGTERM, how long calls are still taken while `/readyz` says no: the time a balancer needs to see it. They are handed to other nodes, if there are any.',
  }),
  SHUTDOWN_DRAIN_SECONDS: integer({
    usedBy: 'compose',
    own: true,
    default: 30,
    unit: 's',
    meaning: 'After SIGTERM, how long open calls may go on before they are ended. A second signal ends them at once.',
  }),
};
