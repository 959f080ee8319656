/** Builds packages in memory: the protocol-level plugin as tool or model, of any size, and folders of `examples/`. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeZip, type ZipFile } from '@plugin-daemon/plugin-package';

export const AUTHOR = 'bench';
export const TOOLS = ['echo', 'pid', 'stream', 'slow', 'backwards', 'exit'] as const;
export const MODEL = 'bench-llm';
/** Where the example plugins are. */
export const EXAMPLES = fileURLToPath(new URL('../../../../examples/', import.meta.url));

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#334155"/></svg>';
const PADDING_PART = 1 << 20;

export interface BenchPackageOptions {
  readonly category: 'tool' | 'model';
  /** Name of the plugin; its provider has the same name. */
  readonly name: string;
  readonly version?: string;
  /** Bytes of random assets that make the package large. */
  readonly padding?: number;
  /** Further files, and others in the place of those it has. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** A package of the protocol-level plugin: it needs Python alone, so its environment is an empty one. */
export function benchPackage(options: BenchPackageOptions): Buffer {
  const files: Record<string, string | Buffer> = {
    '_assets/icon.svg': ICON,
    'README.md': `# ${options.name}\n\nMade by the benchmark.\n`,
    'main.py': readFileSync(new URL('./main.py', import.meta.url)),
    'manifest.yaml': yaml(manifest(options)),
    'requirements.txt': '# nothing\n',
    ...(options.category === 'tool' ? toolFiles(options.name) : modelFiles(options.name)),
  };
  for (let left = options.padding ?? 0, part = 0; left > 0; left -= PADDING_PART, part++)
    files[`_assets/padding-${part}.bin`] = randomBytes(Math.min(left, PADDING_PART));
  return zip({ ...files, ...options.files });
}

const SKIPPED = new Set(['.venv', '__pycache__', '.git', '.env']);
const LOCK = 'uv.lock';

/** What of a manifest is replaced, so that one example can be installed many times. */
export interface Replaced {
  readonly version?: string;
  readonly name?: string;
}

/**
 * A folder as a package.
 * @param locked with what it is locked to; without, the newest of everything is installed
 */
export function folderPackage(folder: string, replaced: Replaced = {}, locked = false): Buffer {
  const files: Record<string, Buffer> = {};
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (SKIPPED.has(entry.name) || (entry.name === LOCK && !locked)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      else files[relative(folder, path)] = readFileSync(path);
    }
  };
  walk(folder);
  let manifestText = files['manifest.yaml']?.toString();
  if (manifestText === undefined) throw new Error(`${folder} has no manifest.yaml`);
  for (const [key, value] of Object.entries(replaced))
    manifestText = manifestText.replace(new RegExp(`^${key}: .*$`, 'm'), `${key}: ${value}`);
  files['manifest.yaml'] = Buffer.from(manifestText);
  return zip(files);
}

function zip(files: Record<string, string | Buffer>): Buffer {
  const entries: ZipFile[] = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  return writeZip(entries.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

/** JSON is YAML. */
const yaml = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const label = (text: string) => ({ en_US: text });

function manifest({ category, name, version = '0.0.1' }: BenchPackageOptions): unknown {
  return {
    version,
    type: 'plugin',
    author: AUTHOR,
    name,
    label: label(name),
    description: label('A plugin that is faster than the daemon'),
    icon: 'icon.svg',
    created_at: '2026-01-15T09:00:00Z',
    resource: {
      memory: 67_108_864,
      permission: {
        tool: { enabled: true },
        model: { enabled: true, llm: true, text_embedding: true },
        storage: { enabled: true, size: 1_048_576 },
      },
    },
    plugins: category === 'tool' ? { tools: ['provider/main.yaml'] } : { models: ['provider/main.yaml'] },
    meta: {
      version: '0.0.1',
      arch: ['amd64', 'arm64'],
      runner: { language: 'python', version: '3.12', entrypoint: 'main' },
    },
    tags: ['utilities'],
  };
}

function toolFiles(name: string): Record<string, string> {
  const source = { python: { source: 'main.py' } };
  const files: Record<string, string> = {
    'provider/main.yaml': yaml({
      identity: { author: AUTHOR, name, label: label(name), description: label(name), icon: 'icon.svg' },
      tools: TOOLS.map((tool) => `tools/${tool}.yaml`),
      extra: source,
    }),
  };
  for (const tool of TOOLS)
    files[`tools/${tool}.yaml`] = yaml({
      identity: { author: AUTHOR, name: tool, label: label(tool) },
      description: { human: label(tool), llm: tool },
      parameters: ['text', 'count', 'size', 'interval_ms'].map((parameter) => ({
        name: parameter,
        type: parameter === 'text' ? 'string' : 'number',
        required: false,
        form: 'llm',
        label: label(parameter),
        human_description: label(parameter),
        llm_description: parameter,
      })),
      extra: source,
    });
  return files;
}

function modelFiles(name: string): Record<string, string> {
  return {
    'provider/main.yaml': yaml({
      provider: name,
      label: label(name),
      icon_small: label('icon.svg'),
      supported_model_types: ['llm'],
      configurate_methods: ['predefined-model'],
      models: { llm: { predefined: ['models/*.yaml'] } },
      extra: { python: { provider_source: 'main.py', model_sources: ['main.py'] } },
    }),
    'models/bench-llm.yaml': yaml({
      model: MODEL,
      label: label(MODEL),
      model_type: 'llm',
      model_properties: { mode: 'chat', context_size: 8192 },
    }),
  };
}
