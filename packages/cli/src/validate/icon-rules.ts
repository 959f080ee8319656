/** Rules of icons: every one that is named is there, and none is the template's. */
import type { Severity } from './finding.ts';
import { type RuleContext, report } from './rule-context.ts';
import { descend, textOf } from './yaml-tree.ts';

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
