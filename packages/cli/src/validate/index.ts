/**
 * `plugin validate`: every problem of a plugin at once. Owns the rules beyond the format's own tables; reads the
 * plugin's files, runs nothing. Also called by `plugin package` and `plugin dev`.
 */
import type { PluginSource } from '../source/source.ts';
import { checkDependencies } from './dependency-rules.ts';
import { checkDuplicates } from './duplicate-rule.ts';
import { type Finding, Findings } from './finding.ts';
import { checkIcons, checkTemplateLeftovers } from './icon-rules.ts';
import { checkSurroundings, checkUploadRules } from './manifest-rules.ts';
import { checkMarketplace } from './marketplace-rules.ts';
import { checkMultiple } from './multiple-rule.ts';
import { checkPaths } from './path-rule.ts';
import { checkPermissionUse, checkSources } from './python-rules.ts';
import type { RuleContext } from './rule-context.ts';
import { checkSize } from './size-rule.ts';
import { checkValues } from './value-rules.ts';
import { YamlReader } from './yaml-files.ts';

export type { Finding } from './finding.ts';
export { asText } from './report.ts';

export interface ValidateOptions {
  marketplace: boolean;
  /** Only what packing and installing need are errors; published plugins break other rules without harm. */
  forPackaging?: boolean;
}

/** Rules whose breach makes a package useless, as far as packing is concerned. */
function stopsPackaging(finding: Finding): boolean {
  if (finding.rule.startsWith('field/')) return finding.file === 'manifest.yaml';
  return /^(?:yaml\/(?:syntax|type|encoding|duplicate-key)|file\/|models\/(?:unknown-template|pattern)|manifest\/(?:author|name|version|combination)|icon\/missing|package\/)/.test(
    finding.rule,
  );
}

export async function validatePlugin(source: PluginSource, options: ValidateOptions): Promise<Finding[]> {
  const findings = new Findings();
  const reader = new YamlReader(source.files, findings);
  reader.readAll();
  const context: RuleContext = { files: source.files, read: reader.files, findings };
  const broken = findings.list.some(
    (finding) => finding.severity === 'error' && /^(?:yaml|file|models)\//.test(finding.rule),
  );
  checkIcons(context);
  checkValues(context);
  checkMultiple(context);
  checkDuplicates(context);
  checkPaths(findings, source.files);
  checkSurroundings(context);
  checkSources(context);
  checkPermissionUse(context);
  checkDependencies(context, options.marketplace);
  // Packing has a limit of its own, which --max-size sets.
  if (options.forPackaging !== true) checkSize(findings, source);
  checkTemplateLeftovers(context, options.marketplace ? 'error' : 'warning');
  if (!broken) checkUploadRules(context);
  if (options.marketplace) checkMarketplace(context, source);
  const all = findings.sorted();
  if (options.forPackaging !== true) return all;
  return all.map((finding) =>
    finding.severity === 'error' && !stopsPackaging(finding) ? { ...finding, severity: 'warning' as const } : finding,
  );
}
