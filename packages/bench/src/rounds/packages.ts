/** What is installed in a round: packages that go well, each in its way, and packages that cannot. */
import { signPackage, writeZip, type ZipFile } from '@plugin-daemon/plugin-package';
import { AUTHOR, benchPackage, EXAMPLES, folderPackage } from '../plugin/package.ts';

/** Versions of each plugin: what is made for all of them once is known after so many rounds. */
export const VERSIONS = 3;

export interface Installable {
  readonly pluginId: string;
  readonly packed: Buffer;
}

const named = (name: string, packed: Buffer): Installable => ({ pluginId: `${AUTHOR}/${name}`, packed });
const versionOf = (round: number, more = 0): string => `${1 + (round % VERSIONS)}.${more}.0`;

export const resident = (): Installable => named('resident', benchPackage({ category: 'tool', name: 'resident' }));

/** The protocol-level plugin, in the version of a round or the next one above it. */
export const plain = (round: number, upgrade = 0): Installable =>
  named('plain', benchPackage({ category: 'tool', name: 'plain', version: versionOf(round, upgrade) }));

export const leaving = (round: number): Installable =>
  named('leaving', benchPackage({ category: 'tool', name: 'leaving', version: versionOf(round) }));

export const signed = (round: number, privateKey: string): Installable =>
  named(
    'signed',
    signPackage(benchPackage({ category: 'tool', name: 'signed', version: versionOf(round) }), privateKey, { time: 1 }),
  );

/** A plugin on the real SDK with webhooks. */
export const onSdk = (round: number): Installable => ({
  pluginId: 'examples/notes',
  packed: folderPackage(`${EXAMPLES}endpoint-notes`, { version: versionOf(round) }),
});

/** A plugin that brings a dependency of its own along, another one with each version. */
export const withDependency = (round: number): Installable =>
  named(
    'needy',
    changed('needy', round, {
      ...wheels(round),
      'vendor/requirements.txt': `own-thing==${1 + (round % VERSIONS)}.0\n`,
    }),
  );

/** Packages that cannot be installed, by what is wrong with them. */
export const FAILING: Readonly<Record<string, () => Buffer>> = {
  'a package that is cut off': () => plain(0).packed.subarray(0, 900),
  'an import that fails': () => changed('raising', 0, { 'main.py': 'import nothing_of_this_name\n' }),
  'a process that is killed while it starts': () =>
    changed('dying', 0, { 'main.py': 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n' }),
  'a dependency that it lacks': () =>
    changed('lacking', 0, { ...wheels(0), 'vendor/requirements.txt': 'other-thing==1.0\n' }),
};

/** The protocol-level plugin with other files. */
function changed(name: string, round: number, files: Readonly<Record<string, string | Buffer>>): Buffer {
  return benchPackage({ category: 'tool', name, version: versionOf(round), files });
}

function wheels(round: number): Readonly<Record<string, Buffer>> {
  const version = `${1 + (round % VERSIONS)}.0`;
  const info = `own_thing-${version}.dist-info`;
  const lines = ['own_thing/__init__.py', `${info}/METADATA`, `${info}/WHEEL`, `${info}/RECORD`];
  const files: Readonly<Record<string, string>> = {
    'own_thing/__init__.py': `VALUE = '${version}'\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: own-thing\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: `${lines.map((name) => `${name},,`).join('\n')}\n`,
  };
  const entries: ZipFile[] = lines.map((name) => ({ name, content: Buffer.from(files[name] ?? '') }));
  return { [`vendor/wheels/own_thing-${version}-py3-none-any.whl`]: writeZip(entries) };
}
