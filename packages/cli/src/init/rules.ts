/**
 * The rules of names, versions, categories and permissions that `plugin init` and `plugin permission` share (docs/wire/cli.md#plugin-init).
 */
export const CATEGORIES = [
  'tool',
  'agent-strategy',
  'llm',
  'text-embedding',
  'rerank',
  'tts',
  'speech2text',
  'moderation',
  'extension',
  'datasource',
  'trigger',
] as const;
export type Category = (typeof CATEGORIES)[number];

export const CATEGORY_HINTS: Record<Category, string> = {
  tool: 'something an app, agent or workflow can call',
  'agent-strategy': 'how an agent thinks: prompts, loops, tool calls',
  llm: 'chat and completion models',
  'text-embedding': 'models that turn text into vectors',
  rerank: 'models that sort search results',
  tts: 'models that speak',
  speech2text: 'models that transcribe',
  moderation: 'models that judge content',
  extension: 'HTTP endpoints of your own',
  datasource: 'sites, documents or drives for knowledge bases',
  trigger: 'webhooks that start workflows',
};

export const MODEL_CATEGORIES = ['llm', 'text-embedding', 'rerank', 'tts', 'speech2text', 'moderation'] as const;
export type ModelCategory = (typeof MODEL_CATEGORIES)[number];

/** What `plugin module add` can add. */
export const MODULE_KINDS = ['tool', 'endpoint', 'strategy', 'datasource', 'event', ...MODEL_CATEGORIES] as const;

export function isCategory(text: string): text is Category {
  return (CATEGORIES as readonly string[]).includes(text);
}

export function isModelCategory(text: string): text is ModelCategory {
  return (MODEL_CATEGORIES as readonly string[]).includes(text);
}

export const LANGUAGES = ['zh_Hans', 'ja_JP', 'pt_BR'] as const;
export type ReadmeLanguage = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<string, string> = {
  en_US: 'English',
  zh_Hans: '简体中文 (Simplified Chinese)',
  ja_JP: '日本語 (Japanese)',
  pt_BR: 'Português (Portuguese - Brazil)',
};

export const PROVIDER_TYPES = ['website_crawl', 'online_document', 'online_drive'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** What a new plugin asks for, by its lowest Python; the first is the default. SDKs from 0.9 on need Python 3.12. */
export const PYTHON_CHOICES = {
  '3.12': { sdk: '>=0.9.0,<0.11.0' },
  '3.11': { sdk: '>=0.7.0,<0.11.0' },
} as const;
export type PythonChoice = keyof typeof PYTHON_CHOICES;

/** Interpreters from this minor version on run every SDK. */
export const FULL_SDK_MINOR = 12;

const NAME = /^[a-z0-9_-]{1,128}$/;
const AUTHOR = /^[a-z0-9_-]{1,64}$/;
export const VERSION = /^\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?$/;

/** Each check answers with what is wrong, or undefined. */
export function checkName(text: string): string | undefined {
  return NAME.test(text)
    ? undefined
    : 'plugin name must be 1-128 characters long, and can only contain lowercase letters, numbers, dashes and underscores';
}

export function checkAuthor(text: string): string | undefined {
  return AUTHOR.test(text)
    ? undefined
    : 'author name must be 1-64 characters long, and can only contain lowercase letters, numbers, dashes and underscores';
}

export function checkDescription(text: string): string | undefined {
  if (text.trim() === '') return 'description cannot be empty';
  return [...text].length > 1023 ? 'description must be at most 1023 characters long' : undefined;
}

export function checkMinimumVersion(text: string): string | undefined {
  return text === '' || VERSION.test(text)
    ? undefined
    : 'Invalid minimal Dify version: expected three numbers such as 1.9.0';
}

export function checkRepository(text: string): string | undefined {
  if (text === '') return undefined;
  return /^https?:\/\/[^\s/]+/.test(text) ? undefined : 'repository must be an http(s) address';
}

export const MIN_STORAGE = 1024;
export const MAX_STORAGE = 1024 * 1024 * 1024;
export const DEFAULT_STORAGE = 1024 * 1024;

/** `1048576`, `512KB`, `2MB`, `1 GiB` in bytes, or undefined. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const unit = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(match[2] ?? '').toLowerCase()];
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

export function checkStorageSize(bytes: number): string | undefined {
  return Number.isInteger(bytes) && bytes >= MIN_STORAGE && bytes <= MAX_STORAGE
    ? undefined
    : `storage size must be between ${MIN_STORAGE} and ${MAX_STORAGE} bytes (1KB to 1GB)`;
}

/**
 * A class name part from a plugin name: `my-plugin_v2` → `MyPluginV2`. Empty parts are skipped and a leading digit
 * gets a prefix, so that every valid plugin name gives a valid Python name.
 */
export function camel(name: string): string {
  const joined = name
    .split(/[-_ ]+/)
    .filter((part) => part !== '')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
  return joined === '' || /^\d/.test(joined) ? `Plugin${joined}` : joined;
}

/** What a plugin may ask of Dify, as the manifest spells it. */
export interface Permissions {
  tool: boolean;
  model: {
    llm: boolean;
    text_embedding: boolean;
    rerank: boolean;
    tts: boolean;
    speech2text: boolean;
    moderation: boolean;
  } | null;
  node: boolean;
  endpoint: boolean;
  app: boolean;
  /** bytes, or null when storage is off */
  storage: number | null;
}

export const NO_MODELS = {
  llm: false,
  text_embedding: false,
  rerank: false,
  tts: false,
  speech2text: false,
  moderation: false,
};
export const NO_PERMISSIONS: Permissions = {
  tool: false,
  model: null,
  node: false,
  endpoint: false,
  app: false,
  storage: null,
};
export type ModelKind = keyof NonNullable<Permissions['model']>;
export const MODEL_KINDS = [
  'llm',
  'text_embedding',
  'rerank',
  'tts',
  'speech2text',
  'moderation',
] as const satisfies readonly ModelKind[];

/** The `permission` block of a manifest, keys in upstream's order. */
export function permissionBlock(permissions: Permissions): Record<string, unknown> {
  const block: Record<string, unknown> = {};
  if (permissions.tool) block.tool = { enabled: true };
  if (permissions.model !== null) block.model = { enabled: true, ...permissions.model };
  if (permissions.node) block.node = { enabled: true };
  if (permissions.endpoint) block.endpoint = { enabled: true };
  if (permissions.app) block.app = { enabled: true };
  if (permissions.storage !== null) block.storage = { enabled: true, size: permissions.storage };
  return block;
}
