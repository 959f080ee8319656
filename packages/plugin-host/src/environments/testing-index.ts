/** For tests: a package index of our own on the loopback, and distributions to put there. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageOf } from './testing.ts';

export interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface TestServer {
  /** Without a trailing slash. */
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  onConnect?: (request: IncomingMessage, socket: { end(text: string): unknown }) => void,
): Promise<TestServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    answer(request, response);
  });
  server.on('connect', (request, socket) => {
    asked.push({ path: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    onConnect?.(request, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listens on a port, not on a path
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Distribution {
  /** `x-1.0-py3-none-any.whl`, `x-1.0.tar.gz` */
  readonly file: string;
  readonly bytes: Buffer;
  readonly requiresPython?: string;
}

/** A simple index of these distributions, at `<url>/simple`; `password` of the user `user` is asked for when given. */
export function serveIndex(distributions: readonly Distribution[], password?: string): Promise<TestServer> {
  const expected = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  return serve((request, response) => {
    const path = request.url ?? '';
    if (password !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="index"' }).end();
      return;
    }
    const file = distributions.find((one) => path === `/files/${one.file}`);
    if (file !== undefined) {
      response.writeHead(200, { 'content-length': file.bytes.length }).end(request.method === 'HEAD' ? '' : file.bytes);
      return;
    }
    const name = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    const found = distributions.filter((one) => one.file.split('-', 1)[0]?.replaceAll('_', '-') === name);
    if (found.length === 0) {
      response.writeHead(404).end();
      return;
    }
    const links = found.map(({ file: own, bytes, requiresPython }) => {
      const python =
        requiresPython === undefined ? '' : ` data-requires-python="${requiresPython.replace('>', '&gt;')}"`;
      const sum = createHash('sha256').update(bytes).digest('hex');
      return `<a href="/files/${own}#sha256=${sum}"${python}>${own}</a>`;
    });
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<html><body>${links.join('\n')}</body></html>`);
  });
}

export function wheel(
  name: string,
  more: {
    tag?: string;
    requiresPython?: string;
    files?: Readonly<Record<string, string>>;
    /** It says other hashes of its files than they have. */
    wrongRecord?: boolean;
  } = {},
): Distribution {
  const { tag = 'py3-none-any', requiresPython, wrongRecord = false, files = { [`${name}.py`]: 'value = 1\n' } } = more;
  const info = `${name}-1.0.dist-info`;
  const python = requiresPython === undefined ? '' : `Requires-Python: ${requiresPython}\n`;
  const content: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n${python}`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
  };
  const lines = Object.entries(content).map(([path, file]) => {
    const digest = createHash('sha256')
      .update(wrongRecord ? '' : file)
      .digest('base64url');
    return `${path},sha256=${digest},${Buffer.byteLength(file)}\n`;
  });
  content[`${info}/RECORD`] = `${lines.join('')}${info}/RECORD,,\n`;
  return {
    file: `${name}-1.0-${tag}.whl`,
    bytes: packageOf(content),
    ...(requiresPython === undefined ? {} : { requiresPython }),
  };
}

/** A source distribution whose build runs this Python, by a backend that it carries and that needs nothing else. */
export function sourceDistribution(name: string, build: string): Distribution {
  const folder = mkdtempSync(join(tmpdir(), 'sdist-'));
  try {
    const files: Record<string, string> = {
      'PKG-INFO': `Metadata-Version: 2.2\nName: ${name}\nVersion: 1.0\n`,
      'pyproject.toml': `[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "${name}"\nversion = "1.0"\n`,
      'backend.py': `import os, zipfile\n\ndef build_wheel(folder, *_, **__):\n${indented(build)}\n${indented(WHEEL.replaceAll('NAME', name))}\n`,
    };
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, `${name}-1.0`, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    const archive = join(folder, 'out.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', folder, `${name}-1.0`]);
    return { file: `${name}-1.0.tar.gz`, bytes: readFileSync(archive) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const WHEEL = `name = "NAME-1.0-py3-none-any.whl"
with zipfile.ZipFile(os.path.join(folder, name), "w") as made:
    made.writestr("NAME.py", "value = 1\\n")
    made.writestr("NAME-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: NAME\\nVersion: 1.0\\n")
    made.writestr("NAME-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    made.writestr("NAME-1.0.dist-info/RECORD", "NAME.py,,\\nNAME-1.0.dist-info/METADATA,,\\nNAME-1.0.dist-info/WHEEL,,\\nNAME-1.0.dist-info/RECORD,,\\n")
return name`;

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
