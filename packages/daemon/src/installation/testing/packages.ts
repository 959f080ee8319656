/** Small packages for the tests of installation and management, made in memory. JSON is YAML. */
import { writeZip, type ZipFile } from '@plugin-daemon/plugin-package';

export const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';

export type PackageFiles = Record<string, string | Buffer>;

export interface TestPackage {
  readonly name?: string;
  readonly author?: string;
  readonly version?: string;
  readonly category?: 'tool' | 'model' | 'extension' | 'agent-strategy' | 'datasource' | 'trigger';
  readonly tags?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  /** Changes, adds (or removes, by deleting) files before they are zipped. */
  readonly change?: (files: PackageFiles, manifest: Record<string, unknown>) => void;
}

const text = (value: string) => ({ en_US: value });
const yaml = (value: unknown) => JSON.stringify(value);

/** The bytes of a `.difypkg`, in a buffer of their own. */
export function testPackage(options: TestPackage = {}): Uint8Array<ArrayBuffer> {
  const { name = 'demo', author = 'acme', version = '0.0.1', category = 'tool' } = options;
  const { plugins, files: providerFiles } = providers(category, author, name);
  const manifest: Record<string, unknown> = {
    version,
    type: 'plugin',
    author,
    name,
    label: options.label ?? text(name),
    description: text(`${name} for tests`),
    icon: 'icon.svg',
    created_at: '2026-01-15T09:00:00Z',
    resource: { memory: 1024, permission: {} },
    plugins,
    meta: { version: '0.0.1', arch: ['amd64'], runner: { language: 'python', version: '3.12', entrypoint: 'main' } },
    tags: options.tags ?? [],
  };
  const files: PackageFiles = {
    '_assets/icon.svg': ICON,
    'README.md': `# ${name}\n`,
    'readme/README_zh_Hans.md': `# ${name} zh\n`,
    'main.py': '',
    'requirements.txt': '',
    ...providerFiles,
  };
  options.change?.(files, manifest);
  files['manifest.yaml'] ??= yaml(manifest);
  return zip(files);
}

export function zip(files: PackageFiles, comment = ''): Uint8Array<ArrayBuffer> {
  const entries: ZipFile[] = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Uint8Array(writeZip(entries, comment));
}

/** A `.difybndl` with the given packages and references. */
export function testBundle(
  dependencies: readonly unknown[],
  packages: Readonly<Record<string, Uint8Array>>,
): Uint8Array<ArrayBuffer> {
  const files: PackageFiles = {
    'manifest.yaml': yaml({
      name: 'bundle',
      labels: text('bundle'),
      description: text('bundle'),
      icon: 'icon.svg',
      version: '0.0.1',
      author: 'acme',
      type: 'bundle',
      dependencies,
      tags: [],
    }),
    '_assets/icon.svg': ICON,
  };
  for (const [path, content] of Object.entries(packages)) files[`_assets/${path}`] = Buffer.from(content);
  return zip(files);
}

function providers(category: string, author: string, name: string): { plugins: object; files: PackageFiles } {
  const identity = { author, name, label: text(name), description: text(name), icon: 'icon.svg' };
  const source = { python: { source: 'main.py' } };
  const main = 'provider/main.yaml';
  const child = { identity: { author, name: 'one', label: text('one') }, extra: source };
  switch (category) {
    case 'model':
      return {
        plugins: { models: [main] },
        files: {
          [main]: yaml({
            provider: name,
            label: text(name),
            icon_small: text('icon.svg'),
            supported_model_types: ['llm'],
            configurate_methods: ['predefined-model'],
            models: { llm: { predefined: ['models/one.yaml'] } },
            extra: { python: { provider_source: 'main.py', model_sources: ['main.py'] } },
          }),
          'models/one.yaml': yaml({
            model: 'one',
            label: text('one'),
            model_type: 'llm',
            fetch_from: 'predefined-model',
            model_properties: { mode: 'chat' },
            parameter_rules: [],
          }),
        },
      };
    case 'extension':
      return {
        plugins: { endpoints: [main] },
        files: {
          [main]: yaml({ settings: [], endpoints: ['endpoints/one.yaml'] }),
          'endpoints/one.yaml': yaml({ path: '/', method: 'GET', extra: source }),
        },
      };
    case 'agent-strategy':
      return {
        plugins: { agent_strategies: [main] },
        files: {
          [main]: yaml({ identity, strategies: ['strategies/one.yaml'] }),
          'strategies/one.yaml': yaml({ ...child, description: text('one'), parameters: [] }),
        },
      };
    case 'datasource':
      return {
        plugins: { datasources: [main] },
        files: {
          [main]: yaml({
            identity,
            provider_type: 'website_crawl',
            credentials_schema: [],
            datasources: ['datasources/one.yaml'],
          }),
          'datasources/one.yaml': yaml({ ...child, description: text('one'), parameters: [] }),
        },
      };
    case 'trigger':
      return {
        plugins: { triggers: [main] },
        files: {
          [main]: yaml({ identity, subscription_schema: [], events: ['events/one.yaml'], extra: source }),
          'events/one.yaml': yaml({ ...child, description: text('one'), parameters: [] }),
        },
      };
    default:
      return {
        plugins: { tools: [main] },
        files: {
          [main]: yaml({ identity, tools: ['tools/one.yaml'], extra: source }),
          'tools/one.yaml': yaml({ ...child, description: { human: text('one'), llm: 'one' }, parameters: [] }),
        },
      };
  }
}
