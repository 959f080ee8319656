/** Findings in the forms people and machines read: text with excerpts, JSON, workflow annotations, SARIF. */
import { type Colors, remedyLine } from '../output/io.ts';
import type { PluginFiles } from '../source/source.ts';
import type { Finding } from './finding.ts';

function excerpt(files: PluginFiles, finding: Finding): string[] {
  if (finding.line === undefined || !files.has(finding.file)) return [];
  const text = Buffer.from(files.read(finding.file)).toString('utf8').split('\n')[finding.line - 1];
  if (text === undefined || text.trim() === '') return [];
  const number = String(finding.line);
  const caret = Math.max(0, (finding.column ?? 1) - 1);
  return [
    `    ${number} | ${text.replaceAll('\t', ' ').trimEnd()}`,
    `    ${' '.repeat(number.length)} | ${' '.repeat(caret)}^`,
  ];
}

const at = (finding: Finding): string =>
  `${finding.file}${finding.line === undefined ? '' : `:${finding.line}:${finding.column ?? 1}`}`;

export function asText(findings: readonly Finding[], files: PluginFiles, colors: Colors): string {
  const lines: string[] = [];
  for (const finding of findings) {
    const severity = finding.severity === 'error' ? colors.red('error') : colors.yellow('warning');
    lines.push(`${colors.bold(at(finding))} ${severity} ${finding.message} ${colors.dim(`(${finding.rule})`)}`);
    lines.push(...excerpt(files, finding));
    if (finding.remedy !== undefined) lines.push(`  ${remedyLine(finding.remedy, colors)}`);
  }
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const warnings = findings.length - errors;
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  lines.push(
    findings.length === 0
      ? colors.green('no problems found')
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  );
  return lines.join('\n');
}

/** Values of workflow commands may not hold line ends, `%`, and in properties neither `:` nor `,`. */
const escapeData = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

export function asGithub(findings: readonly Finding[], root: string): string {
  return findings
    .map((finding) => {
      const file = root === '' || root === '.' ? finding.file : `${root.replace(/\/$/, '')}/${finding.file}`;
      const place = finding.line === undefined ? '' : `,line=${finding.line},col=${finding.column ?? 1}`;
      const text = finding.remedy === undefined ? finding.message : `${finding.message}\n${finding.remedy}`;
      return `::${finding.severity} file=${escapeProperty(file)}${place},title=${escapeProperty(finding.rule)}::${escapeData(text)}`;
    })
    .join('\n');
}

export function asSarif(findings: readonly Finding[], version: string): string {
  const rules = [...new Set(findings.map((finding) => finding.rule))].map((id) => ({ id }));
  const results = findings.map((finding) => ({
    ruleId: finding.rule,
    level: finding.severity,
    message: { text: finding.remedy === undefined ? finding.message : `${finding.message}. ${finding.remedy}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: finding.file },
          ...(finding.line === undefined
            ? {}
            : { region: { startLine: finding.line, startColumn: finding.column ?? 1 } }),
        },
      },
    ],
  }));
  return JSON.stringify({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'dify plugin validate', version, rules } }, results }],
  });
}
