/** `plugin inspect`: what a package is and whether it can be trusted; or how it differs from another. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import {
  declarationCategory,
  type SignatureVerdict,
  validateManifest,
  verifySignature,
} from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { Call, Outcome } from '../command.ts';
import { EXIT } from '../errors.ts';
import { loadPublicKey } from '../signature/keys.ts';
import { checksumOfSource, declarationOf, identifierOf, openSource, type PluginSource } from '../source/source.ts';
import { modulesOf } from './module-list.ts';

interface Change {
  path: string;
  change: 'added' | 'removed' | 'changed';
}

function compare(a: PluginSource, b: PluginSource): Change[] {
  const hash = (source: PluginSource, name: string): string =>
    createHash('sha256').update(source.files.read(name)).digest('hex');
  const names = [...new Set([...a.files.names, ...b.files.names])].sort();
  return names.flatMap((path): Change[] => {
    if (!a.files.has(path)) return [{ path, change: 'added' }];
    if (!b.files.has(path)) return [{ path, change: 'removed' }];
    return hash(a, path) === hash(b, path) ? [] : [{ path, change: 'changed' }];
  });
}

export async function run({ args, flags, cwd, io, signal }: Call): Promise<Outcome> {
  const source = await openSource(args[0] ?? '', signal);
  const other = flags.text('diff');
  if (other !== undefined) {
    const changes = compare(source, await openSource(other, signal));
    const signs = { added: io.colors.green('+'), removed: io.colors.red('-'), changed: io.colors.yellow('~') };
    return {
      text:
        changes.length === 0
          ? 'the same files with the same contents'
          : changes.map((each) => `${signs[each.change]} ${each.path}`).join('\n'),
      data: { changes },
      exit: changes.length === 0 ? EXIT.ok : EXIT.failed,
    };
  }
  const { declaration, warnings } = declarationOf(source);
  const checksum = checksumOfSource(source);
  let verdict: SignatureVerdict | undefined;
  if (source.archive !== undefined) {
    const keys = await Promise.all(flags.list('public_key').map((path) => loadPublicKey(resolve(cwd, path))));
    verdict = verifySignature(source.archive, { publicKeys: keys.map((key) => key.pem) });
  }
  let refusal: string | undefined;
  try {
    validateManifest(declaration);
  } catch (error) {
    refusal = messageOf(error);
  }
  const sizes =
    source.folder?.files.map((file) => [file.path, file.size] as const) ??
    source.files.names.map((name) => [name, source.files.read(name).length] as const);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const largest = sizes.toSorted(([, a], [, b]) => b - a).slice(0, 5);
  const modules = modulesOf(declaration);
  const counts = new Map<string, number>();
  for (const module of modules) counts.set(module.kind, (counts.get(module.kind) ?? 0) + 1);
  const permission = Object.entries(declaration.resource.permission ?? {}).map(
    ([name, value]) => `${name} ${JSON.stringify(value)}`,
  );
  const identifier = identifierOf(declaration, checksum);
  const rows: [string, string][] = [
    ['identifier', identifier],
    ['label', declaration.label.en_US],
    ['category', declarationCategory(declaration)],
    ['modules', [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ') || 'none'],
    ['permissions', permission.join(', ') || 'none'],
    [
      'runner',
      `${declaration.meta.runner.language} ${declaration.meta.runner.version}, ${declaration.meta.runner.entrypoint}`,
    ],
    ['needs dify', declaration.meta.minimum_dify_version ?? 'any'],
    [
      'signature',
      verdict === undefined
        ? 'folders have none'
        : `${verdict.state}: ${verdict.reason}${verdict.verification === null ? '' : ` (category ${verdict.verification.authorized_category})`}`,
    ],
    [
      'files',
      `${sizes.length}, ${total} bytes${source.bytes === undefined ? '' : `, packed ${source.bytes.length} bytes`}`,
    ],
    ['largest', largest.map(([name, size]) => `${name} ${size}`).join(', ')],
  ];
  if (refusal !== undefined) rows.push(['refused', refusal]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return {
    text: rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n'),
    data: {
      unique_identifier: identifier,
      checksum,
      category: declarationCategory(declaration),
      signature: verdict ?? null,
      modules: modules.map(({ kind, name }) => ({ kind, name })),
      permission: declaration.resource.permission ?? {},
      files: sizes.length,
      bytes: total,
      warnings: warnings.length,
      refused: refusal ?? null,
      declaration,
    },
  };
}
