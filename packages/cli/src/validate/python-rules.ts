/** What the SDK will find in the Python sources a provider names; read as text, nothing is run. */

import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, itemsOf, textOf, type YamlNode } from './yaml-tree.ts';

/** Base classes by the kind of file that names the source. The SDK wants exactly one subclass in it. */
const BASES: Readonly<Record<string, { provider?: readonly string[]; child?: readonly string[] }>> = {
  tools: { provider: ['ToolProvider'], child: ['Tool'] },
  models: { provider: ['ModelProvider', 'OAICompatProvider'] },
  endpoints: { child: ['Endpoint'] },
  agent_strategies: { child: ['AgentStrategy'] },
  datasources: {
    provider: ['DatasourceProvider'],
    child: ['WebsiteCrawlDatasource', 'OnlineDocumentDatasource', 'OnlineDriveDatasource'],
  },
  triggers: { provider: ['Trigger'], child: ['Event'] },
};

const CLASS = /^class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]*\][ \t]*)?(?:\(([^)]{0,2000})\)[ \t]*)?:/gm;

interface PythonClass {
  name: string;
  bases: string[];
}

export function classesIn(source: string): PythonClass[] {
  const classes: PythonClass[] = [];
  for (const [, name = '', bases = ''] of source.matchAll(CLASS)) {
    classes.push({
      name,
      bases: bases
        .split(',')
        .map((base) => base.trim().replace(/\[.*$/s, '').split('.').at(-1) ?? '')
        .filter((base) => base !== '' && !base.includes('=')),
    });
  }
  return classes;
}

function readText(context: RuleContext, path: string): string {
  return Buffer.from(context.files.read(path)).toString('utf8');
}

function checkSource(context: RuleContext, file: ReadFile, node: YamlNode | undefined, bases: readonly string[]): void {
  const named = textOf(node) ?? '';
  // The SDK loads the module of that name, whatever the ending says.
  const module = named.replace(/\.[^./]+$/, '.py');
  if (module !== named && context.files.has(module)) {
    report(
      context,
      file,
      node,
      'warning',
      'python/source',
      `the source ${named} is no Python file; ${module} is loaded`,
      `write ${module}`,
    );
  }
  const path = context.files.has(module) ? module : named;
  if (!context.files.has(path)) {
    report(
      context,
      file,
      node,
      'error',
      'python/source',
      `the source ${path} does not exist in the package`,
      'create the file or correct the path; it is relative to the root of the plugin',
    );
    return;
  }
  const classes = classesIn(readText(context, path));
  const own = new Set(classes.map((each) => each.name));
  const matching = classes.filter((each) => each.bases.some((base) => bases.includes(base)));
  const wanted = bases.join(' or ');
  if (classes.length === 0) {
    // The class may come from elsewhere: `from .impl import MyTool`.
    const imports = /^from\s+\S+\s+import\s/m.test(readText(context, path));
    report(
      context,
      file,
      node,
      imports ? 'warning' : 'error',
      'python/class',
      `${path} defines no class`,
      `define one subclass of ${wanted}`,
    );
  } else if (
    matching.length === 0 &&
    classes.every((each) => each.bases.every((base) => !own.has(base) && base === 'object'))
  ) {
    report(
      context,
      file,
      node,
      'error',
      'python/class',
      `${path} has no subclass of ${wanted}`,
      'derive the class from it: the SDK refuses to start without',
    );
  } else if (matching.length > 1) {
    report(
      context,
      file,
      node,
      'error',
      'python/class',
      `${path} has ${matching.length} subclasses of ${wanted}: ${matching.map((each) => each.name).join(', ')}`,
      'the SDK wants exactly one per file: move the others',
    );
  }
}

export function checkSources(context: RuleContext): void {
  for (const file of context.read) {
    const { root } = file.document;
    const python = descend(root, 'extra', 'python');
    const bases = BASES[file.kind];
    if (bases === undefined) continue;
    if (file.kind === 'models' && file.role === 'provider') {
      const provider = child(python, 'provider_source');
      if (provider === undefined)
        report(
          context,
          file,
          root ?? undefined,
          'error',
          'python/source',
          'extra.python.provider_source is missing',
          'name the Python file with the subclass of ModelProvider',
        );
      else checkSource(context, file, provider, bases.provider ?? []);
      for (const source of itemsOf(child(python, 'model_sources'))) {
        const path = textOf(source) ?? '';
        if (!context.files.has(path))
          report(
            context,
            file,
            source,
            'error',
            'python/source',
            `the source ${path} does not exist in the package`,
            'create the file or correct the path',
          );
      }
      continue;
    }
    const expected = file.role === 'provider' ? bases.provider : file.role === 'child' ? bases.child : undefined;
    if (expected === undefined) continue;
    const source = child(python, 'source');
    if (source === undefined)
      report(
        context,
        file,
        root ?? undefined,
        'error',
        'python/source',
        'extra.python.source is missing',
        `name the Python file with the subclass of ${expected.join(' or ')}`,
      );
    else checkSource(context, file, source, expected);
  }
}

const USES: readonly { pattern: RegExp; path: readonly string[]; words: string; flag: string }[] = [
  { pattern: /session\.storage\b/, path: ['storage', 'enabled'], words: 'storage', flag: '--storage 1MB' },
  { pattern: /session\.tool\b/, path: ['tool', 'enabled'], words: 'tools', flag: '--tool on' },
  { pattern: /session\.app\b/, path: ['app', 'enabled'], words: 'apps', flag: '--app on' },
  { pattern: /session\.workflow_node\b/, path: ['node', 'enabled'], words: 'workflow nodes', flag: '--node on' },
  {
    pattern: /session\.model\.(?:llm|summary)\b/,
    path: ['model', 'llm'],
    words: 'language models',
    flag: '--model llm',
  },
  {
    pattern: /session\.model\.text_embedding\b/,
    path: ['model', 'text_embedding'],
    words: 'embedding models',
    flag: '--model text_embedding',
  },
  { pattern: /session\.model\.rerank\b/, path: ['model', 'rerank'], words: 'rerank models', flag: '--model rerank' },
  { pattern: /session\.model\.tts\b/, path: ['model', 'tts'], words: 'speech models', flag: '--model tts' },
  {
    pattern: /session\.model\.speech2text\b/,
    path: ['model', 'speech2text'],
    words: 'transcription models',
    flag: '--model speech2text',
  },
  {
    pattern: /session\.model\.moderation\b/,
    path: ['model', 'moderation'],
    words: 'moderation models',
    flag: '--model moderation',
  },
];

/** Calls into Dify that the manifest does not permit: they fail at run time. */
export function checkPermissionUse(context: RuleContext): void {
  const manifest = context.read.find((file) => file.role === 'manifest');
  if (manifest === undefined) return;
  const permission = descend(manifest.document.root, 'resource', 'permission');
  const granted = (path: readonly string[]): boolean =>
    /^(true|yes|on|y)$/i.test(textOf(descend(permission, ...path)) ?? '');
  for (const name of context.files.names) {
    if (!name.endsWith('.py') || name.startsWith('tests/')) continue;
    const lines = readText(context, name).split('\n');
    for (const use of USES) {
      if (granted(use.path) && (use.path[0] !== 'model' || granted(['model', 'enabled']))) continue;
      const line = lines.findIndex((text) => use.pattern.test(text) && !/^\s*#/.test(text));
      if (line < 0) continue;
      context.findings.add({
        severity: 'warning',
        rule: 'permission/undeclared',
        message: `this calls ${use.words}, which the manifest does not permit`,
        remedy: `dify plugin permission <folder> ${use.flag}`,
        permission: use.path,
        file: name,
        line: line + 1,
        column: (lines[line]?.search(use.pattern) ?? 0) + 1,
      });
    }
  }
}
