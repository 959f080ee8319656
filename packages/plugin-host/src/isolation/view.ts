import { existsSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Mount } from '../launcher/index.ts';
import { HOME_IN_VIEW, type Scratch } from './own-files.ts';

/** The system's programs and libraries; what is a symbolic link there is one in the view. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/nix/store', '/gnu/store'];
/** Of `/etc`, what programs need to resolve names, trust servers, tell the time and find libraries and fonts. */
const CONFIGURATION = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'debian_version',
  'fonts',
  'gai.conf',
  'host.conf',
  'hosts',
  'ImageMagick-6',
  'ImageMagick-7',
  'krb5.conf',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.conf',
  'localtime',
  'login.defs',
  'lsb-release',
  'machine-id',
  'mime.types',
  'nsswitch.conf',
  'odbcinst.ini',
  'OpenCL',
  'openldap',
  'os-release',
  'pki',
  'protocols',
  'resolv.conf',
  'services',
  'shells',
  'ssl',
  'static',
  'timezone',
  'vulkan',
]; // prettier-ignore
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];
const HARDWARE = ['/sys/devices/system/cpu', '/sys/devices/system/node'];
const SHARED_MEMORY = 'mode=1777,size=512m';
const MAX_LINKS = 40;

export interface ViewRequest {
  /** Further files and directories, absolute; what does not exist is left out. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Hidden wherever the above would show them: the daemon's data and settings. */
  readonly hidden: readonly string[];
  /** Interpreters whose installation must be there: paths of executables, of environments too. */
  readonly pythons: readonly string[];
  /** Shown last, over everything hidden. */
  readonly own: readonly { readonly path: string; readonly writable: boolean }[];
  /** What `/tmp` and `/var/tmp` are, and what is the home directory; where that is, is `HOME_IN_VIEW`. */
  readonly scratch: Pick<Scratch, 'temporary' | 'home' | 'accounts'>;
}

/** The files that a caged process sees, as mounts in order. Reads the file system to follow links. */
export function viewOf(request: ViewRequest): Mount[] {
  const shown = withoutRepeats([
    ...[...SYSTEM, ...CONFIGURATION.map((name) => join('/etc', name)), ...HARDWARE, ...request.readable].flatMap(
      (path) => atItsPlace(path, false),
    ),
    ...request.writable.flatMap((path) => atItsPlace(path, true)),
  ]);
  const hidden = request.hidden.flatMap((path) => realOrNone(path) ?? []);
  const isVisible = (path: string) => isShown(path, shown) && !hidden.some((folder) => isWithin(path, folder));
  return [
    { kind: 'tmpfs', at: '/run' },
    { kind: 'tmpfs', at: '/home' },
    // Before what is shown, which may lie there.
    { kind: 'bind', from: request.scratch.temporary, at: '/tmp', writable: true },
    { kind: 'bind', from: request.scratch.temporary, at: '/var/tmp', writable: true },
    { kind: 'bind', from: request.scratch.home, at: HOME_IN_VIEW, writable: true },
    ...shown,
    ...hidden.filter((path) => isShown(path, shown)).map(cover),
    { kind: 'bind', from: request.scratch.accounts.passwd, at: '/etc/passwd' },
    { kind: 'bind', from: request.scratch.accounts.group, at: '/etc/group' },
    { kind: 'proc', at: '/proc' },
    ...DEVICES.map((name): Mount => ({ kind: 'bind', from: `/dev/${name}`, at: `/dev/${name}`, optional: true })),
    { kind: 'tmpfs', at: '/dev/shm', writable: true, options: SHARED_MEMORY },
    { kind: 'link', to: '/proc/self/fd', at: '/dev/fd' },
    { kind: 'link', to: '/proc/self/fd/0', at: '/dev/stdin' },
    { kind: 'link', to: '/proc/self/fd/1', at: '/dev/stdout' },
    { kind: 'link', to: '/proc/self/fd/2', at: '/dev/stderr' },
    ...request.own.flatMap(({ path, writable }) => atItsPlace(path, writable)),
    ...withoutRepeats(request.pythons.flatMap(interpreter)).filter(
      (mount) => mount.kind !== 'bind' || !isVisible(mount.from),
    ),
  ];
}

/** A path as programs name it: the links on the way to it, and what is at the end. Nothing when it does not exist. */
export function atItsPlace(path: string, writable: boolean): Mount[] {
  const mounts: Mount[] = [];
  let current = '/';
  let rest = path.split(sep).filter((name) => name !== '');
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...others] = rest;
    const next = name === '..' ? dirname(current) : join(current, name);
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    if (stat.isSymbolicLink()) {
      if (++links > MAX_LINKS) return [];
      const to = readlinkSync(next);
      mounts.push({ kind: 'link', to, at: next });
      if (to.startsWith('/')) current = '/';
      rest = [...to.split(sep).filter((part) => part !== '' && part !== '.'), ...others];
    } else {
      current = next;
      rest = others;
    }
  }
  return [...mounts, { kind: 'bind', from: current, at: current, ...(writable && { writable }) }];
}

/** The installation of an interpreter: its programs and libraries, not what else may lie beside them. */
function interpreter(python: string): Mount[] {
  const real = realOrNone(python);
  if (real === undefined) return [];
  const prefix = dirname(dirname(real));
  const parts = ['bin', 'lib', 'lib64', 'share'].map((name) => join(prefix, name));
  return [...parts, python].flatMap((path) => atItsPlace(path, false));
}

/** Without what an earlier mount shows already. */
const withoutRepeats = (mounts: readonly Mount[]): Mount[] =>
  mounts.filter(
    (mount, index) => mount.kind !== 'bind' || mount.writable === true || !isShown(mount.from, mounts.slice(0, index)),
  );

const realOrNone = (path: string): string | undefined => (existsSync(path) ? realpathSync(path) : undefined);

export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);

const isShown = (path: string, shown: readonly Mount[]): boolean =>
  shown.some((mount) => mount.kind === 'bind' && isWithin(path, mount.from));

const cover = (path: string): Mount =>
  statSync(path).isDirectory() ? { kind: 'tmpfs', at: path } : { kind: 'bind', from: '/dev/null', at: path };
