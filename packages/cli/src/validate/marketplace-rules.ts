/** What the review of the marketplace looks for beyond the format (docs/wire/cli.md#review-rules). */
import { unpackedSize } from '../source/size-limit.ts';
import type { PluginSource } from '../source/source.ts';
import type { Severity } from './finding.ts';
import type { RuleContext } from './rule-context.ts';
import { descend, place, textOf } from './yaml-tree.ts';

const REQUIRED = [
  'author',
  'name',
  'version',
  'type',
  'icon',
  'plugins',
  'privacy',
  'repo',
  'contact',
  'label.en_US',
  'description.en_US',
  'meta.version',
  'meta.arch',
  'meta.runner.language',
  'meta.runner.version',
  'meta.runner.entrypoint',
];
const HOSTS = ['github.com', 'gitlab.com', 'bitbucket.org', 'gitee.com', 'codeberg.org', 'git.sr.ht'];
const PLACEHOLDER = /please fill in the privacy policy/i;
const CJK = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/u;
const FORBIDDEN_FOLDERS =
  /(?:^|\/)(?:\.git|\.svn|\.hg|\.venv|venv|env|__pycache__|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.idea|\.vscode|node_modules)\//;
const FORBIDDEN_FILES =
  /(?:^|\/)(?:\.env(?!\.(?:example|sample|template)$)[^/]*|[^/]+\.(?:pem|key|crt|cer|p12|pfx|pyc|pyo|log|tmp|bak|swp))$/;
const ARCHIVES = /\.(?:zip|tar|tgz|gz|bz2|xz|7z|rar|whl|difypkg)$/;
const MAX_BYTES = 50 * 1024 * 1024;
const MAX_FILES = 5000;

type Add = (
  severity: Severity,
  rule: string,
  message: string,
  remedy: string,
  file: string,
  at?: { line: number; column: number },
) => void;

export function checkMarketplace(context: RuleContext, source: PluginSource): void {
  const { files, findings, read } = context;
  const add: Add = (severity, rule, message, remedy, file, at) =>
    findings.add({ severity, rule: `marketplace/${rule}`, message, remedy, file, ...at });
  const manifest = read.find((file) => file.role === 'manifest');
  if (manifest !== undefined) {
    const { document } = manifest;
    const node = (path: string) => descend(document.root, ...path.split('.'));
    for (const path of REQUIRED) {
      if (node(path) === undefined || textOf(node(path)) === '')
        add(
          'error',
          'required',
          `${path} is missing`,
          path === 'contact' ? 'add contact: with an e-mail address' : `add ${path}`,
          'manifest.yaml',
          { line: 1, column: 1 },
        );
    }
    const at = (path: string) => place(document, node(path));
    const author = textOf(node('author')) ?? '';
    if (/langgenius|dify/i.test(author))
      add(
        'error',
        'author',
        `author "${author}" uses a protected name`,
        'use your own name or that of your organization',
        'manifest.yaml',
        at('author'),
      );
    const repo = textOf(node('repo'));
    if (repo !== undefined && repo !== '') {
      const host = URL.canParse(repo) ? new URL(repo).host.replace(/^www\./, '') : '';
      if (!HOSTS.includes(host))
        add(
          'error',
          'repo',
          `repo "${repo}" is not on a known code host`,
          `use ${HOSTS.join(', ')}`,
          'manifest.yaml',
          at('repo'),
        );
    }
    if (
      textOf(node('meta.minimum_dify_version')) === undefined ||
      textOf(node('meta.minimum_dify_version')) === 'null'
    ) {
      add(
        'warning',
        'minimum-dify-version',
        'meta.minimum_dify_version is not set',
        'say which Dify the plugin needs at least',
        'manifest.yaml',
        at('meta'),
      );
    }
    const privacy = textOf(node('privacy')) ?? '';
    if (privacy !== '' && !/^https?:/.test(privacy) && files.has(privacy)) {
      const text = Buffer.from(files.read(privacy)).toString('utf8');
      if (text.trim() === '' || PLACEHOLDER.test(text))
        add(
          'error',
          'privacy',
          `${privacy} is empty or still the placeholder`,
          'write the privacy policy of the plugin',
          privacy,
        );
    }
  }
  if (!files.has('PRIVACY.md'))
    add('error', 'privacy', 'there is no PRIVACY.md', 'write one, even if the policy lies elsewhere', 'PRIVACY.md');
  if (!files.has('README.md')) add('error', 'readme', 'there is no README.md', 'write one in English', 'README.md');
  else checkReadme(Buffer.from(files.read('README.md')).toString('utf8'), add);

  for (const name of files.names) {
    if (FORBIDDEN_FOLDERS.test(name))
      add('error', 'file', `${name} does not belong into a package`, 'leave its folder out with .difyignore', name);
    else if (FORBIDDEN_FILES.test(name))
      add('error', 'file', `${name} does not belong into a package`, 'leave it out with .difyignore', name);
    else if (ARCHIVES.test(name) && !name.startsWith('vendor/wheels/'))
      add('warning', 'archive', `${name} is an archive inside the package`, 'ship its contents instead', name);
    else if (/^(?:build|dist)\//.test(name))
      add('warning', 'file', `${name} looks like a build result`, 'leave it out with .difyignore', name);
  }
  if (files.names.length > MAX_FILES)
    add(
      'error',
      'size',
      `the package holds ${files.names.length} files, at most ${MAX_FILES} are accepted`,
      'leave out what is not needed at run time',
      'manifest.yaml',
    );
  if (unpackedSize(source) > MAX_BYTES || (source.bytes?.length ?? 0) > MAX_BYTES)
    add(
      'error',
      'size',
      `the package is larger than ${MAX_BYTES} bytes`,
      'dify plugin package --explain shows the largest files',
      'manifest.yaml',
    );
}

function checkReadme(text: string, add: Add): void {
  let fenced = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced && CJK.test(line)) {
      add(
        'error',
        'readme',
        'README.md must be in English',
        'move other languages to readme/README_<language>.md',
        'README.md',
        { line: index + 1, column: line.search(CJK) + 1 },
      );
      break;
    }
  }
  if (!HOSTS.some((host) => text.includes(host)))
    add('error', 'readme', 'README.md does not link the source repository', 'add its address', 'README.md');
  for (const word of ['setup', 'usage']) {
    if (!new RegExp(word === 'setup' ? 'setup|install|configur' : 'usage|how to use|example', 'i').test(text))
      add('warning', 'readme', `README.md says nothing about ${word}`, `add a section about ${word}`, 'README.md');
  }
}
