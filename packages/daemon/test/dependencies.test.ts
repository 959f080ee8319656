/** The real SDK, installed by what a package says or seems to say about its dependencies, and called. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveIndex, sourceDistribution } from '@plugin-daemon/plugin-host/testing';
import { messageOf } from '@plugin-daemon/values';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ONE, TestDaemon } from './harness.ts';
import { AUTHOR, type Files, packageOf, rudePackage } from './plugins/package.ts';

const EXAMPLE = fileURLToPath(new URL('../../../examples/tool-text-report/', import.meta.url));
const SDK = 'dify_plugin==0.7.4\n'; // the newest for every Python from 3.11 on
let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
}, 240_000);
afterAll(() => daemon?.close());

/** The example under another name, without its dependency file; with options of a dynamic parameter. */
function plugin(name: string, dependencies: Files): Buffer {
  const files: Record<string, string | Uint8Array> = {};
  for (const path of readdirSync(EXAMPLE, { recursive: true, encoding: 'utf8' })) {
    if (path === 'requirements.txt' || !statSync(join(EXAMPLE, path)).isFile()) continue;
    files[path] = readFileSync(join(EXAMPLE, path), 'utf8');
  }
  const edit = (path: string, change: (text: string) => string) => {
    files[path] = change(String(files[path]));
  };
  for (const path of ['manifest.yaml', 'provider/text_report.yaml'])
    edit(path, (text) =>
      text.replace(/^(\s*)name: text_report$/m, `$1name: ${name}`).replaceAll('author: examples', `author: ${AUTHOR}`),
    );
  edit('tools/report.yaml', (text) =>
    text.replace('type: number', 'type: dynamic-select').replace(/ +(default: 5|min: 1|max: 50|precision: 0)\n/g, ''),
  );
  edit(
    'tools/report.py',
    (text) =>
      `${text}\n    def _fetch_parameter_options(self, parameter):\n        from dify_plugin.entities import I18nObject, ParameterOption\n        return [ParameterOption(value=parameter, label=I18nObject(en_US="five"))]\n`,
  );
  return packageOf({ ...files, ...dependencies });
}

const failed = (packed: Buffer): Promise<string> => failedOn(daemon, packed);

const failedOn = (on: TestDaemon, packed: Buffer): Promise<string> =>
  on.install(packed).then(
    () => Promise.reject(new Error('it was installed')),
    (error: unknown) => messageOf(error),
  );

test.each([
  ['linter', { 'pyproject.toml': '[tool.ruff]\nline-length = 100\n', 'requirements.txt': SDK }],
  ['poetry', { 'pyproject.toml': '[tool.poetry]\nname = "x"\nversion = "1"\n', 'requirements.txt': SDK }],
  [
    'emptylist',
    { 'pyproject.toml': '[project]\nname = "x"\nversion = "1"\ndependencies = []\n', 'requirements.txt': SDK },
  ],
  ['emptyfile', { 'pyproject.toml': '', 'requirements.txt': SDK }],
  [
    'stalelock',
    {
      'pyproject.toml':
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["dify_plugin==0.7.4"]\n',
      'uv.lock':
        'version = 1\nrequires-python = ">=3.11"\n\n[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\n',
    },
  ],
])(
  '%s: what the plugin needs is installed, and it answers',
  async (name, dependencies) => {
    await daemon.install(plugin(name, dependencies));
    const body = JSON.stringify({
      user_id: 'u',
      data: { provider: name, tool: 'report', tool_parameters: { text: 'one two' }, credentials: {} },
    });
    const headers = { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/${name}` };
    const answer = await daemon.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, { headers, body });
    expect(answer.text).toContain('2 words');
    // Which SDKs 0.6 to 0.9 themselves cannot do for a plugin without triggers.
    const options = await daemon.answer('POST', `/plugin/${ONE}/dispatch/dynamic_select/fetch_parameter_options`, {
      headers,
      body: JSON.stringify({
        user_id: 'u',
        data: {
          provider: name,
          provider_action: 'report',
          parameter: 'top',
          credentials: {},
          credential_type: 'api-key',
        },
      }),
    });
    expect(options.text).toContain('"value":"top"');
  },
  120_000,
);

test('a plugin whose SDK is nowhere is never installed, and the file is named', async () => {
  const message = await failed(plugin('nosdk', { 'pyproject.toml': '[tool.black]\n' }));
  expect(message).toContain('pyproject.toml does not bring dify_plugin');
  expect(message).toContain('add dify_plugin to the dependencies');
});

test('a dependency that has to be built is built in a cage: it finds neither keys nor the daemon’s environment', async () => {
  const secret = 'a-password-of-the-test';
  const look = `import glob
found = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if ${JSON.stringify(secret)} in open(path, errors="replace").read(): found.append(path)
    except OSError: pass
try: found += os.listdir(os.path.join(os.environ["UV_CACHE_DIR"].split("/cwd/")[0], "keys"))
except OSError: pass
raise SystemExit("FOUND " + repr(found) + " AS " + repr(os.getuid()))`;
  const index = await serveIndex([sourceDistribution('compiled', look), sourceDistribution('good', 'pass')]);
  const caged = await TestDaemon.start({ settings: { PIP_MIRROR_URL: `${index.url}/simple`, DB_PASSWORD: secret } });
  try {
    const message = await failedOn(caged, rudePackage('builds', {}, { 'requirements.txt': 'compiled\n' }));
    expect(message).toContain('its build failed');
    expect(message).toContain('FOUND []');
    if (process.getuid?.() === 0) expect(message).not.toContain('AS 0');
    await caged.install(rudePackage('built', {}, { 'requirements.txt': 'good\n' }));
    expect((await caged.call('built', 'echo', { parameters: { text: 'well' } })).texts).toEqual(['well']);
  } finally {
    await caged.close();
    await index.close();
  }
}, 240_000);
