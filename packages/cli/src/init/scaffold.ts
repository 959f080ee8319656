/** All files of a new plugin, or of a module added to one, from answers and templates. Pure: no file is written here. */
import { stringify } from 'yaml';
import { fill, yamlScalar } from './render.ts';
import {
  type Category,
  camel,
  isModelCategory,
  type ModelCategory,
  type Permissions,
  type ProviderType,
  PYTHON_CHOICES,
  type PythonChoice,
  permissionBlock,
  type ReadmeLanguage,
} from './rules.ts';
import { templateFiles } from './template-files.ts';

export interface Answers {
  name: string;
  author: string;
  description: string;
  repo: string;
  category: Category;
  permissions: Permissions;
  minimumDifyVersion: string;
  readmeLanguages: readonly ReadmeLanguage[];
  providerType: ProviderType;
  /** Lowest Python the plugin asks for. */
  python: PythonChoice;
}

const VERSION = '0.0.1';

interface Family {
  /** Folder of templates and name of the icon. */
  templates: string;
  /** Category of the finished plugin, as the marketplace names it. */
  category: string;
  /** Key below `plugins` and the path it names. */
  key: string;
  file: (name: string) => string;
}

const provider = (name: string): string => `provider/${name}.yaml`;
const FAMILIES: Record<string, Family> = {
  tool: { templates: 'tool', category: 'tool', key: 'tools', file: provider },
  model: { templates: 'model', category: 'model', key: 'models', file: provider },
  extension: { templates: 'extension', category: 'extension', key: 'endpoints', file: (name) => `group/${name}.yaml` },
  'agent-strategy': {
    templates: 'agent-strategy',
    category: 'agent-strategy',
    key: 'agent_strategies',
    file: provider,
  },
  datasource: { templates: 'datasource', category: 'datasource', key: 'datasources', file: provider },
  trigger: { templates: 'trigger', category: 'trigger', key: 'triggers', file: provider },
};

/** Key of the provider's list and folder of the files, for kinds that share a provider. */
const PARTS: Record<Exclude<Category, ModelCategory>, readonly [string, string]> = {
  tool: ['tools', 'tools'],
  extension: ['endpoints', 'endpoints'],
  'agent-strategy': ['strategies', 'strategies'],
  datasource: ['datasources', 'datasources'],
  trigger: ['events', 'events'],
};

function familyOf(category: Category): Family {
  const family = FAMILIES[isModelCategory(category) ? 'model' : category];
  if (family === undefined) throw new Error(`no templates for category ${category}`);
  return family;
}

type Who = Pick<Answers, 'name' | 'author' | 'description'>;

function valuesFor(who: Who, category: string, extra: Readonly<Record<string, string>>): Record<string, string> {
  const { name, author, description } = who;
  return {
    name,
    author,
    description,
    version: VERSION,
    category,
    class: camel(name),
    provider_source: `provider/${name}.py`,
    tool_file: `tools/${name}.yaml`,
    tool_source: `tools/${name}.py`,
    endpoint_file: `endpoints/${name}.yaml`,
    endpoint_source: `endpoints/${name}.py`,
    endpoint_path: `/${name}`,
    strategy_file: `strategies/${name}.yaml`,
    strategy_source: `strategies/${name}.py`,
    datasource_file: `datasources/${name}.yaml`,
    datasource_source: `datasources/${name}.py`,
    event_file: `events/${name}_event.yaml`,
    event_source: `events/${name}_event.py`,
    event_name: `${name}_event`,
    event_label: `${camel(name)} Event`,
    ...extra,
  };
}

/** Fills every template below a folder; `__name__` in paths becomes the plugin's name, `dot.` a leading dot. */
function take(folder: string, values: Readonly<Record<string, string>>, into: Map<string, string>): void {
  const name = values.name ?? '';
  for (const [path, text] of templateFiles()) {
    if (!path.startsWith(`${folder}/`)) continue;
    const target = path
      .slice(folder.length + 1)
      .split('/')
      .map((part) => part.replace(/^dot\./, '.').replaceAll('__name__', name))
      .join('/');
    into.set(target, fill(text, values));
  }
}

function template(path: string): string {
  const text = templateFiles().get(path);
  if (text === undefined) throw new Error(`template ${path} is missing`);
  return text;
}

/** Files of one module (provider, YAML and source) without anything common to the plugin. */
export function moduleFiles(
  who: Who,
  category: Category,
  providerType: ProviderType,
): { key: string; file: string; files: Map<string, string> } {
  const family = familyOf(category);
  const files = new Map<string, string>();
  if (isModelCategory(category)) {
    const directory = category.replaceAll('-', '_');
    const values = valuesFor(who, family.category, { model_type: category, model_dir: directory });
    take('model/provider', values, files);
    const sources = new Map<string, string>();
    take(`model/models/${directory}`, values, sources);
    const prefixed = new Map<string, string>();
    for (const [path, text] of files) prefixed.set(`provider/${path}`, text);
    for (const [path, text] of sources) prefixed.set(`models/${directory}/${path}`, text);
    return { key: family.key, file: family.file(who.name), files: prefixed };
  }
  const values = valuesFor(who, family.category, { provider_type: providerType });
  if (category === 'datasource') {
    const providerFiles = new Map<string, string>();
    take('datasource/provider', values, providerFiles);
    for (const [path, text] of providerFiles) files.set(`provider/${path}`, text);
    take(`datasource/${providerType}`, values, files);
  } else take(family.templates, values, files);
  return { key: family.key, file: family.file(who.name), files };
}

/** What `plugin module add` writes next to an existing provider: the module's own files, and where the provider names them. */
export function partFiles(
  who: Who,
  category: Exclude<Category, ModelCategory>,
  providerType: ProviderType,
): { list: string; file: string; files: Map<string, string> } {
  const [list, folder] = PARTS[category];
  const event = category === 'trigger';
  const all = new Map<string, string>();
  const values = valuesFor(who, category, {
    event_name: who.name,
    event_label: camel(who.name),
    event_file: `events/${who.name}.yaml`,
    event_source: `events/${who.name}.py`,
  });
  take(category === 'datasource' ? `datasource/${providerType}` : category, values, all);
  const files = new Map<string, string>();
  for (const [path, text] of all)
    if (path.startsWith(`${folder}/`)) files.set(event ? path.replace(/_event(\.\w+)$/, '$1') : path, text);
  return { list, file: `${folder}/${who.name}.yaml`, files };
}

/** The source of a kind of model and one predefined model called `name`. */
export function modelFiles(who: Who, category: ModelCategory): { directory: string; files: Map<string, string> } {
  const directory = category.replaceAll('-', '_');
  const all = new Map<string, string>();
  take(`model/models/${directory}`, valuesFor(who, 'model', { model_type: category, model_dir: directory }), all);
  const files = new Map<string, string>();
  for (const [path, text] of all) {
    const target = path.endsWith('.yaml') ? `${who.name}.yaml` : path;
    const own = text.replace(/^model: .*$/m, `model: ${yamlScalar(who.name)}`);
    files.set(`models/${directory}/${target}`, path.endsWith('.yaml') ? renamed(own, who.name) : text);
  }
  return { directory, files };
}

/** The label of an added model is its name in every language. */
function renamed(text: string, name: string): string {
  return text.replace(/^label:\n(?: {2}.*\n)+/m, `label:\n  en_US: ${yamlScalar(name)}\n`);
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Local time with offset and nanoseconds, the form manifests carry. */
export function createdAt(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const offset =
    minutes === 0
      ? 'Z'
      : `${minutes < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}000000${offset}`;
}

function manifest(answers: Answers, family: Family, at: Date): string {
  const { name, description } = answers;
  const document: Record<string, unknown> = {
    version: VERSION,
    type: 'plugin',
    author: answers.author,
    name,
    label: { en_US: name, ja_JP: name, zh_Hans: name, pt_BR: name },
    description: { en_US: description, ja_JP: description, zh_Hans: description, pt_BR: description },
    icon: 'icon.svg',
    icon_dark: 'icon-dark.svg',
    resource: { memory: 268435456, permission: permissionBlock(answers.permissions) },
    plugins: { [family.key]: [family.file(name)] },
    meta: {
      version: VERSION,
      arch: ['amd64', 'arm64'],
      runner: { language: 'python', version: answers.python, entrypoint: 'main' },
      minimum_dify_version: answers.minimumDifyVersion === '' ? null : answers.minimumDifyVersion,
    },
    created_at: '@created_at@',
    privacy: 'PRIVACY.md',
    ...(answers.repo === '' ? {} : { repo: answers.repo }),
    verified: false,
  };
  // The time stamp must stay unquoted to keep its nanoseconds and offset as they are.
  return stringify(document, { lineWidth: 0 }).replace(/"?@created_at@"?/, createdAt(at));
}

/** Every file of a new plugin by its path below the plugin's directory. */
export function pluginFiles(answers: Answers, at: Date = new Date()): Map<string, string> {
  const family = familyOf(answers.category);
  const { python } = answers;
  const values = valuesFor(answers, family.category, { python, sdk: PYTHON_CHOICES[python].sdk });
  const files = new Map<string, string>([['manifest.yaml', manifest(answers, family, at)]]);
  files.set('_assets/icon.svg', template(`icons/${family.templates}.svg`));
  files.set('_assets/icon-dark.svg', template(`icons/${family.templates}-dark.svg`));
  if (family.templates === 'model') {
    files.set('_assets/icon_s_en.svg', template('icons/model.svg'));
    files.set('_assets/icon_l_en.svg', template('icons/model-large.svg'));
  }
  take('common', values, files);
  for (const language of answers.readmeLanguages) {
    files.set(`readme/README_${language}.md`, fill(template(`readme/README_${language}.md`), values));
  }
  for (const [path, text] of moduleFiles(answers, answers.category, answers.providerType).files) files.set(path, text);
  return files;
}
