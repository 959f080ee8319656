/**
 * Rules between files: what an upload refuses, what the SDK refuses at start, what Dify's parser refuses
 * (docs/wire/packages.md#cross-checks).
 */
import { isUniqueIdentifier, PackageError, validateManifest } from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import type { Severity } from './finding.ts';
import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, itemsOf, textOf, type YamlNode } from './yaml-tree.ts';

function manifestOf({ read }: RuleContext): ReadFile | undefined {
  return read.find((file) => file.role === 'manifest');
}

/** Author, name, version and combinations, as an upload checks them; only when all files decode. */
export function checkUploadRules(context: RuleContext): void {
  const manifest = manifestOf(context);
  if (manifest === undefined) return;
  const { root } = manifest.document;
  const author = textOf(child(root, 'author')) ?? '';
  const name = textOf(child(root, 'name')) ?? '';
  const version = textOf(child(root, 'version')) ?? '';
  const names = 'use lowercase letters, digits, - and _ only';
  if (!/^[a-z0-9_-]{1,64}$/.test(author))
    report(
      context,
      manifest,
      child(root, 'author'),
      'error',
      'manifest/author',
      author === ''
        ? 'author is missing: an installation refuses the package'
        : `author "${author}" is refused by an installation`,
      names,
    );
  if (name !== '' && !/^[a-z0-9_-]{1,128}$/.test(name))
    report(
      context,
      manifest,
      child(root, 'name'),
      'error',
      'manifest/name',
      `name "${name}" is refused by an installation`,
      names,
    );
  else if (
    author !== '' &&
    /^[a-z0-9_-]{1,64}$/.test(author) &&
    !isUniqueIdentifier(`${author}/${name}:${version}@${'0'.repeat(64)}`)
  ) {
    report(
      context,
      manifest,
      child(root, 'version'),
      'error',
      'manifest/version',
      `version "${version}" cannot be part of a plugin identifier`,
      'write three numbers such as 0.1.0',
    );
  }
  if (version.includes('_', version.indexOf('-') + 1) && version.includes('-'))
    report(
      context,
      manifest,
      child(root, 'version'),
      'warning',
      'manifest/version-pep440',
      `version "${version}" is not a version for Dify`,
      'use a suffix such as -beta.1 without underscores',
    );
  if (
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(author) ||
    /^[0-9a-f]{32}$/i.test(author)
  ) {
    report(
      context,
      manifest,
      child(root, 'author'),
      'error',
      'manifest/author',
      'author must not be a UUID',
      'use your own name or that of your organization',
    );
  }
  const minimum = child(descend(root, 'meta'), 'minimum_dify_version');
  const text = textOf(minimum);
  if (
    text !== undefined &&
    text !== '' &&
    text !== 'null' &&
    text !== '~' &&
    !/^v?\d+(\.\d+)*((a|b|rc|\.post|\.dev|-)[\w.]*)?$/.test(text)
  ) {
    report(
      context,
      manifest,
      minimum,
      'warning',
      'manifest/minimum-dify-version',
      `minimum_dify_version "${text}" is not a version for Dify`,
      'write it like 1.9.0',
    );
  }
  try {
    validateManifest(assembleDeclaration(context.files).declaration);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    if (error.detail?.tag === 'combination') {
      report(
        context,
        manifest,
        child(root, 'plugins'),
        'error',
        'manifest/combination',
        error.message,
        'only tools and endpoints may stand together in one plugin; split the others off',
      );
    }
  }
}

const ICONS: readonly (readonly [role: string, kind: string, path: readonly string[], perLanguage: boolean])[] = [
  ['manifest', '', ['icon'], false],
  ['manifest', '', ['icon_dark'], false],
  ['provider', 'tools', ['identity', 'icon'], false],
  ['provider', 'tools', ['identity', 'icon_dark'], false],
  ['provider', 'agent_strategies', ['identity', 'icon'], false],
  ['provider', 'agent_strategies', ['identity', 'icon_dark'], false],
  ['provider', 'datasources', ['identity', 'icon'], false],
  ['child', 'datasources', ['identity', 'icon'], false],
  ['provider', 'triggers', ['identity', 'icon'], false],
  ['provider', 'triggers', ['identity', 'icon_dark'], false],
  ...['icon_small', 'icon_large', 'icon_small_dark', 'icon_large_dark'].map(
    (key) => ['provider', 'models', [key], true] as const,
  ),
];

/** Every icon that an installation looks for. */
export function checkIcons(context: RuleContext): void {
  for (const file of context.read) {
    for (const [role, kind, path, perLanguage] of ICONS) {
      if (file.role !== role || (kind !== '' && file.kind !== kind)) continue;
      const node = descend(file.document.root, ...path);
      const icons =
        perLanguage && node?.kind === 'mapping'
          ? node.pairs.map((pair) => pair.value)
          : node === undefined
            ? []
            : [node];
      for (const icon of icons) {
        const name = textOf(icon);
        if (name === undefined || name === '' || context.files.has(`_assets/${name}`)) continue;
        report(
          context,
          file,
          icon,
          'error',
          'icon/missing',
          `icon ${name} is not in _assets`,
          `put the file at _assets/${name}, or correct the name`,
        );
      }
    }
  }
}

const TEMPLATE_MARKER = 'DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE';

export function checkTemplateLeftovers(context: RuleContext, severity: Severity): void {
  for (const name of context.files.names) {
    if (!/^_assets\/[^/]+\.svg$/.test(name)) continue;
    if (Buffer.from(context.files.read(name)).includes(TEMPLATE_MARKER)) {
      context.findings.add({
        severity,
        rule: 'icon/template',
        message: `${name} is still the template icon`,
        remedy: 'replace it with an icon of your own',
        file: name,
      });
    }
  }
}

/** Parameters whose defaults do not fit, and types or tags that Dify's parser does not know. */
export function checkValues(context: RuleContext): void {
  for (const file of context.read) {
    const { root } = file.document;
    if (file.role === 'child')
      for (const parameter of itemsOf(descend(root, 'parameters'))) checkParameter(context, file, parameter);
    if (file.role === 'model') checkModel(context, file);
    if (file.role === 'provider' && ['tools', 'agent_strategies', 'datasources'].includes(file.kind)) {
      for (const tag of itemsOf(descend(root, 'identity', 'tags'))) {
        if (textOf(tag) === 'agent' || textOf(tag) === 'trigger')
          report(
            context,
            file,
            tag,
            'warning',
            'dify/tag',
            `Dify does not know the tag ${textOf(tag)} for a provider`,
            'remove it here; in manifest.yaml it is fine',
          );
      }
    }
  }
}

function checkParameter(context: RuleContext, file: ReadFile, parameter: YamlNode): void {
  const name = textOf(child(parameter, 'name')) ?? '';
  const type = textOf(child(parameter, 'type')) ?? '';
  const fallback = child(parameter, 'default');
  const text = textOf(fallback);
  const options = itemsOf(child(parameter, 'options'));
  if (file.kind === 'tools' && (type === 'date' || type === 'date-range')) {
    report(
      context,
      file,
      child(parameter, 'type'),
      'warning',
      'dify/parameter-type',
      `older versions of Dify do not know the parameter type ${type}`,
      'set minimum_dify_version, or use string',
    );
  }
  if (type === 'select' && options.length === 0)
    report(
      context,
      file,
      child(parameter, 'type'),
      'warning',
      'parameter/options',
      `parameter ${name} is a select without options`,
      'add options, or use dynamic-select',
    );
  if (fallback === undefined || text === undefined || text === '' || text === 'null' || text === '~') return;
  if (type === 'select' && options.length > 0 && !options.some((option) => textOf(child(option, 'value')) === text)) {
    report(
      context,
      file,
      fallback,
      'error',
      'parameter/default',
      `the default "${text}" of ${name} is not among its options`,
      `use one of ${options.map((option) => textOf(child(option, 'value'))).join(', ')}`,
    );
  }
  if (type === 'number') {
    const value = Number(text);
    const min = Number(textOf(child(parameter, 'min')) ?? Number.NaN);
    const max = Number(textOf(child(parameter, 'max')) ?? Number.NaN);
    if (Number.isNaN(value))
      report(
        context,
        file,
        fallback,
        'error',
        'parameter/default',
        `the default "${text}" of ${name} is not a number`,
        'write a number',
      );
    else if (value < min || value > max)
      report(
        context,
        file,
        fallback,
        'warning',
        'parameter/default',
        `the default ${text} of ${name} lies outside min and max`,
        'change the default or the limits',
      );
  }
  if (type === 'boolean' && !/^(true|false|0|1)$/i.test(text))
    report(
      context,
      file,
      fallback,
      'error',
      'parameter/default',
      `the default "${text}" of ${name} is not a boolean`,
      'write true or false',
    );
}

const MODEL_TYPES = ['llm', 'text-embedding', 'rerank', 'speech2text', 'moderation', 'tts'];
const FEATURES = [
  'tool-call',
  'multi-tool-call',
  'agent-thought',
  'vision',
  'stream-tool-call',
  'document',
  'video',
  'audio',
  'structured-output',
  'polling',
];

function checkModel(context: RuleContext, file: ReadFile): void {
  const { root } = file.document;
  const type = textOf(child(root, 'model_type')) ?? '';
  for (const key of ['model', 'model_type', 'model_properties']) {
    if (child(root, key) === undefined)
      report(context, file, root ?? undefined, 'error', 'model/required', `${key} is missing`, `add ${key}`);
  }
  if (type !== '' && !MODEL_TYPES.includes(type))
    report(
      context,
      file,
      child(root, 'model_type'),
      'warning',
      'dify/model-type',
      `Dify does not know the model type ${type}`,
      `use one of ${MODEL_TYPES.join(', ')}`,
    );
  for (const feature of itemsOf(child(root, 'features'))) {
    if (!FEATURES.includes(textOf(feature) ?? ''))
      report(
        context,
        file,
        feature,
        'warning',
        'dify/feature',
        `Dify does not know the feature ${textOf(feature) ?? ''}`,
        `use some of ${FEATURES.join(', ')}`,
      );
  }
  for (const rule of itemsOf(child(root, 'parameter_rules'))) {
    if (child(rule, 'use_template') === undefined && child(rule, 'type') === undefined) {
      report(
        context,
        file,
        rule,
        'error',
        'model/parameter-type',
        `parameter ${textOf(child(rule, 'name')) ?? ''} has neither type nor use_template`,
        'add type: float, int, string, boolean or text',
      );
    }
  }
}

/** Files that installations and people need beside the YAML. */
export function checkSurroundings(context: RuleContext): void {
  const manifest = manifestOf(context);
  if (manifest === undefined) return;
  const { files, findings } = context;
  const { root } = manifest.document;
  const entrypoint = textOf(descend(root, 'meta', 'runner', 'entrypoint'));
  if (entrypoint !== undefined && entrypoint !== '') {
    const path = entrypoint.replaceAll('.', '/');
    if (!files.has(`${path}.py`) && !files.has(`${path}/__main__.py`)) {
      report(
        context,
        manifest,
        descend(root, 'meta', 'runner', 'entrypoint'),
        'error',
        'runner/entrypoint',
        `the entrypoint ${path}.py does not exist in the package`,
        `create ${path}.py; it is run with python -m ${entrypoint}`,
      );
    }
  }
  if (!files.has('requirements.txt') && !files.has('pyproject.toml')) {
    findings.add({
      severity: 'error',
      rule: 'dependencies/missing',
      message: 'neither requirements.txt nor pyproject.toml names the dependencies',
      remedy: 'add requirements.txt with dify_plugin in it',
      file: 'requirements.txt',
    });
  }
  if (!files.has('README.md'))
    findings.add({
      severity: 'warning',
      rule: 'readme/missing',
      message: 'there is no README.md',
      remedy: 'write one in English; translations go into readme/README_<language>.md',
      file: 'README.md',
    });
  const privacy = textOf(child(root, 'privacy'));
  if (privacy !== undefined && privacy !== '' && !/^https?:/.test(privacy) && !files.has(privacy)) {
    report(
      context,
      manifest,
      child(root, 'privacy'),
      'warning',
      'privacy/missing',
      `${privacy} does not exist in the package`,
      'write the privacy policy or correct the path',
    );
  }
}
