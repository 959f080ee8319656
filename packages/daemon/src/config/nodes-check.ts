import { usesRedis } from './redis-servers.ts';
import type { SettingProblem } from './settings-error.ts';
import type { SettingValues } from './table.ts';

/** User ids for the plugins of one worker. */
const FEWEST_USERS = 50;

/** What the settings of several nodes say against each other. */
export function nodeProblems(values: SettingValues): readonly SettingProblem[] {
  const problems: SettingProblem[] = [];
  const tls = ['NODE_TLS_CERTFILE', 'NODE_TLS_KEYFILE', 'NODE_TLS_CA_CERTS'] as const;
  const named = tls.filter((name) => values[name] !== undefined);
  if (values.NODE_ROLE === 'front' && !usesRedis(values)) {
    problems.push({
      variable: 'NODE_ROLE',
      value: 'front',
      problem: 'runs no plugins, and without Redis it knows no node that does',
      remedy: 'name the Redis of the deployment with the REDIS_* settings, or unset NODE_ROLE',
    });
  }
  const nodePorts = Array.from({ length: values.WORKERS }, (_, worker) => values.NODE_PORT + worker);
  const taken = [values.SERVER_PORT, values.PLUGIN_REMOTE_INSTALLING_PORT];
  if (values.NODE_PORT !== 0 && nodePorts.some((port) => taken.includes(port))) {
    problems.push({
      variable: 'NODE_PORT',
      value: String(values.NODE_PORT),
      problem:
        values.WORKERS > 1
          ? `begins ${values.WORKERS} ports, of which another server of this daemon has one`
          : 'is the port of another server of this daemon',
      remedy: 'choose a port of its own, or 0 for SERVER_PORT',
    });
  }
  const [first] = named;
  if (values.NODE_PORT !== 0 && (nodePorts.at(-1) ?? 0) > 65_535) {
    problems.push({
      variable: 'NODE_PORT',
      value: String(values.NODE_PORT),
      problem: `leaves no room for the ports of ${values.WORKERS} workers`,
      remedy: `choose a port of at most ${65_536 - values.WORKERS}, or 0 for free ones`,
    });
  }
  const { first: firstUser, last: lastUser } = values.PLUGIN_UID_RANGE;
  if (values.WORKERS > 1 && lastUser - firstUser + 1 < values.WORKERS * FEWEST_USERS) {
    problems.push({
      variable: 'PLUGIN_UID_RANGE',
      value: `${firstUser}-${lastUser}`,
      problem: `is shared out to ${values.WORKERS} workers, which leaves fewer than ${FEWEST_USERS} ids for each`,
      remedy: 'widen it, or set fewer WORKERS',
    });
  }
  if (first !== undefined && (values.NODE_TLS_CERTFILE === undefined || values.NODE_TLS_KEYFILE === undefined)) {
    problems.push({
      variable: first,
      value: String(values[first]),
      problem: 'is of no use without certificate and key',
      remedy: 'set NODE_TLS_CERTFILE and NODE_TLS_KEYFILE, or none of the NODE_TLS_* settings',
    });
  }
  if (first !== undefined && values.NODE_PORT === 0) {
    problems.push({
      variable: 'NODE_PORT',
      value: '0',
      problem: 'lets nodes come in where clients do, and there is no TLS there',
      remedy: 'choose a port for NODE_PORT, or unset the NODE_TLS_* settings',
    });
  }
  if (values.PLACEMENT_RULE === 'pinned' && values.PLACEMENT_PINS.length === 0) {
    problems.push({
      variable: 'PLACEMENT_PINS',
      value: '',
      problem: 'names no node, and PLACEMENT_RULE is pinned',
      remedy: 'list entries such as langgenius/openai=node-1, or choose another PLACEMENT_RULE',
    });
  }
  return problems;
}
