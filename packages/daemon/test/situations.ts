/** The rights a daemon may have, and the way of holding plugins in that follows from each: every one that can be made on this system. */
import { execFileSync } from 'node:child_process';

const NOBODY = 65534;
const isRoot = process.geteuid?.() === 0;
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
/** Interpreters that every user can reach. */
const PLAIN = { HOME: '/nonexistent', PATH: '/usr/bin:/bin', PYTHON_INTERPRETER_PATH: '/usr/bin/python3' };

export interface Situation {
  readonly name: string;
  readonly mode: string;
  readonly isolated: boolean;
  readonly through?: readonly string[];
  readonly owner?: number;
  readonly settings: Readonly<Record<string, string>>;
  /** Why it cannot be made here; undefined if it can. */
  readonly impossible: string | undefined;
}

const works = (command: string, ...args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const needsRoot = isRoot ? undefined : 'the tests do not run as root';
const userNamespaces = works('unshare', '--user', '--map-current-user', '--mount', 'true')
  ? undefined
  : 'this system lets nobody make user namespaces';
const mountNamespaces = works('unshare', '--mount', '--pid', '--fork', '--mount-proc', 'true')
  ? undefined
  : 'this daemon may not make mount namespaces';
const passable = !isRoot || works(asNobody[0] ?? '', ...asNobody.slice(1), process.execPath, '--version');
const needsPassable = passable ? undefined : 'the repository lies where no other user can get to';
const systemPython = works('/usr/bin/python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 11))')
  ? undefined
  : '/usr/bin/python3 is not 3.11 or newer';

export const situations: readonly Situation[] = [
  {
    name: 'as root',
    mode: 'uid+namespace',
    isolated: true,
    settings: {},
    impossible: needsRoot ?? mountNamespaces,
  },
  {
    name: 'as root without the right to mount',
    mode: 'uid',
    isolated: true,
    through: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'],
    settings: PLAIN,
    impossible: needsRoot ?? systemPython,
  },
  {
    name: 'as an ordinary user',
    mode: 'namespace',
    isolated: true,
    ...(isRoot && { through: asNobody, owner: NOBODY }),
    settings: isRoot ? PLAIN : {},
    impossible: userNamespaces ?? needsPassable ?? (isRoot ? systemPython : undefined),
  },
  {
    name: 'as an ordinary user, switched off',
    mode: 'none',
    isolated: false,
    ...(isRoot && { through: asNobody, owner: NOBODY }),
    settings: { ...(isRoot ? PLAIN : {}), PLUGIN_ISOLATION: 'none' },
    impossible: needsPassable ?? (isRoot ? systemPython : undefined),
  },
];
