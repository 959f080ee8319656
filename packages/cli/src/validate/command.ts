/** `plugin validate`: collects, reports, and ends with 3 when there are errors. */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { requireFolder } from '../source/folder.ts';
import { openSource, type PluginFiles, requirePlugin } from '../source/source.ts';
import { VERSION } from '../version.ts';
import type { Finding } from './finding.ts';
import { fixFindings } from './fix.ts';
import { validatePlugin } from './index.ts';
import { asGithub, asSarif, asText } from './report.ts';
import { schemaFiles } from './schemas.ts';

export async function run(call: Call): Promise<Outcome> {
  const { args, flags, io, cwd, signal } = call;
  const schemas = flags.text('schemas');
  if (schemas !== undefined) {
    const folder = resolve(cwd, schemas);
    const files = schemaFiles();
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) await writeFileAtomic(join(folder, name), text);
    io.info('schemas written', { folder: schemas, files: files.size });
    return { data: { folder, files: [...files.keys()] } };
  }
  const path = args[0] ?? '';
  const options = { marketplace: flags.on('marketplace') };
  const missing = await withoutManifest(path);
  if (missing !== undefined) return reported([missing], NO_FILES, call);
  let source = await openSource(path, signal);
  let findings = await validatePlugin(source, options);
  if (flags.on('fix')) {
    await requireFolder(path);
    const fixed = await fixFindings(path, findings, signal);
    for (const { file, line, message } of fixed) io.info(`fixed: ${message}`, { file, ...(line && { line }) });
    if (fixed.length > 0) {
      source = await openSource(path, signal);
      findings = await validatePlugin(source, options);
    }
  }
  return reported(findings, source.files, call);
}

const NO_FILES: PluginFiles = {
  names: [],
  has: () => false,
  read(name) {
    throw new CliError('not-found', `${name}: no such file or directory`, { file: name });
  },
};

/** The one finding about a folder that is no plugin: nothing else of it is looked at. */
async function withoutManifest(path: string): Promise<Finding | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() !== true) return undefined;
  try {
    await requirePlugin(path);
    return undefined;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { message, remedy } = error;
    const finding: Finding = { severity: 'error', rule: 'file/missing', message, file: 'manifest.yaml' };
    return remedy === undefined ? finding : { ...finding, remedy };
  }
}

function reported(findings: readonly Finding[], files: PluginFiles, { args, flags, io }: Call): Outcome {
  const path = args[0] ?? '';
  const errors = findings.filter((finding) => finding.severity === 'error' || flags.on('strict')).length;
  const exit = errors > 0 ? EXIT.findings : EXIT.ok;
  const data = { errors, warnings: findings.length - errors, findings };
  switch (flags.text('format')) {
    case 'json':
      return { text: JSON.stringify({ ok: exit === EXIT.ok, ...data }), data, exit };
    case 'github':
      return { text: asGithub(findings, path), data, exit };
    case 'sarif':
      return { text: asSarif(findings, VERSION), data, exit };
    default:
      return { text: asText(findings, files, io.colors), data, exit };
  }
}
