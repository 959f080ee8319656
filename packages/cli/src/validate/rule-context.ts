/** What a rule between files looks at, and how it says what it found. */
import type { PluginFiles } from '../source/source.ts';
import type { Findings, Severity } from './finding.ts';
import type { ReadFile } from './yaml-files.ts';
import type { YamlNode } from './yaml-tree.ts';

export interface RuleContext {
  files: PluginFiles;
  read: readonly ReadFile[];
  findings: Findings;
}

/** Adds a finding at a node of a file; at its first line when there is no node. */
export function report(
  context: RuleContext,
  file: ReadFile,
  node: YamlNode | undefined,
  severity: Severity,
  rule: string,
  message: string,
  remedy: string,
): void {
  context.findings.at(file.document, node, severity, rule, message, remedy);
}
