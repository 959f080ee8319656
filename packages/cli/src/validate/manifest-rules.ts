/** Rules of the manifest, and of what it says is in the package: what an upload refuses (docs/wire/packages.md#cross-checks). */
import { isUniqueIdentifier, PackageError, validateManifest } from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import { type RuleContext, report } from './rule-context.ts';
import type { ReadFile } from './yaml-files.ts';
import { child, descend, textOf } from './yaml-tree.ts';

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
