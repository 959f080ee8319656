/** One problem of a plugin: where, which rule, what is wrong, what to do. */
import { place, type YamlDocument, type YamlNode } from './yaml-tree.ts';

export type Severity = 'error' | 'warning';

export interface Finding {
  severity: Severity;
  /** Stable name of the rule, for filters and reports. */
  rule: string;
  message: string;
  remedy?: string;
  /** Path below the plugin. */
  file: string;
  /** Counted from 1. */
  line?: number;
  column?: number;
  /** The missing permission below `resource.permission`, where that is the problem. */
  permission?: readonly string[];
}

export class Findings {
  readonly list: Finding[] = [];

  add(finding: Finding): void {
    this.list.push(finding);
  }

  /** At a node of a file; at its first line when there is no node. */
  at(
    document: YamlDocument,
    node: YamlNode | undefined,
    severity: Severity,
    rule: string,
    message: string,
    remedy: string,
  ): void {
    const { line, column } = place(document, node) ?? { line: 1, column: 1 };
    this.add({ severity, rule, message, remedy, file: document.file, line, column });
  }

  /** By file, then by place, errors first at equal places. */
  sorted(): Finding[] {
    return this.list.toSorted(
      (a, b) =>
        a.file.localeCompare(b.file, 'en') ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0) ||
        a.severity.localeCompare(b.severity, 'en'),
    );
  }
}
