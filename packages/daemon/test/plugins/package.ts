/** Packages of `rude.py` and `hook.py`, and of anything else a test wants to upload. */
import { readFileSync } from 'node:fs';
import { writeZip } from '@plugin-daemon/plugin-package';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** How the plugin starts; see rude.py. */
export type Variant = Readonly<Record<string, unknown>>;

export const AUTHOR = 'tests';
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>';
const TOOLS = [
  'echo',
  'pid',
  'life',
  'run',
  'environ',
  'seen',
  'garbage',
  'long',
  'flood',
  'drip',
  'hang',
  'forge',
  'twins',
  'late',
  'kill',
  'call_back',
  'say',
];

export const packageOf = (files: Files): Buffer =>
  writeZip(
    Object.entries(files)
      .map(([name, content]) => ({ name, content: Buffer.from(content) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );

/** The files of a tool plugin that runs rude.py; `changes` replaces or adds some of them. */
export function rudeFiles(name: string, variant: Variant = {}, changes: Files = {}): Files {
  const files: Record<string, string | Uint8Array> = {
    '_assets/icon.svg': ICON,
    'main.py': readFileSync(new URL('./rude.py', import.meta.url)),
    'variant.json': JSON.stringify(variant),
    'requirements.txt': '# nothing\n',
    'manifest.yaml': yaml(manifest(name)),
    'provider/main.yaml': yaml({
      identity: { author: AUTHOR, name, label: label(name), description: label(name), icon: 'icon.svg' },
      tools: TOOLS.map((tool) => `tools/${tool}.yaml`),
      extra: { python: { source: 'main.py' } },
    }),
  };
  for (const tool of TOOLS)
    files[`tools/${tool}.yaml`] = yaml({
      identity: { author: AUTHOR, name: tool, label: label(tool) },
      description: { human: label(tool), llm: tool },
      parameters: [],
      extra: { python: { source: 'main.py' } },
    });
  return { ...files, ...changes };
}

export const rudePackage = (name: string, variant?: Variant, changes?: Files): Buffer =>
  packageOf(rudeFiles(name, variant, changes));

/** The files of an endpoint plugin that runs hook.py. `settings` are the fields it declares. */
export function hookFiles(name: string, settings: readonly object[] = [], changes: Files = {}): Files {
  const common = manifest(name, { permission: { endpoint: { enabled: true } } });
  return {
    '_assets/icon.svg': ICON,
    'main.py': readFileSync(new URL('./hook.py', import.meta.url)),
    'requirements.txt': '# nothing\n',
    'manifest.yaml': yaml({ ...common, plugins: { endpoints: ['group/main.yaml'] } }),
    'group/main.yaml': yaml({ settings, endpoints: ['endpoints/all.yaml'] }),
    'endpoints/all.yaml': yaml({ path: '/<path:path>', method: 'POST', extra: { python: { source: 'main.py' } } }),
    ...changes,
  };
}

export const hookPackage = (name: string, settings?: readonly object[], changes?: Files): Buffer =>
  packageOf(hookFiles(name, settings, changes));

export interface ManifestChanges {
  readonly language?: string;
  readonly pythonVersion?: string;
  readonly permission?: object;
  readonly memory?: number;
}

export function manifest(
  name: string,
  { language = 'python', pythonVersion = '3.12', permission, memory = 67_108_864 }: ManifestChanges = {},
): object {
  return {
    version: '0.0.1',
    type: 'plugin',
    author: AUTHOR,
    name,
    label: label(name),
    description: label('A plugin that does what no plugin should'),
    icon: 'icon.svg',
    created_at: '2026-01-15T09:00:00Z',
    resource: { memory, permission: permission ?? { tool: { enabled: true } } },
    plugins: { tools: ['provider/main.yaml'] },
    meta: {
      version: '0.0.1',
      arch: ['amd64', 'arm64'],
      runner: { language, version: pythonVersion, entrypoint: 'main' },
    },
    tags: ['utilities'],
  };
}

/** JSON is YAML. */
export const yaml = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const label = (text: string) => ({ en_US: text });
