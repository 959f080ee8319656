/**
 * `plugin permission`: shows or changes the permission block of a manifest, by flags or with the editor
 * (docs/wire/cli.md#modules-permissions-readmes).
 */
import type { Permission } from '@plugin-daemon/plugin-package';
import type { Call, Flags, Outcome } from '../command.ts';
import { CliError, EXIT, usageError } from '../errors.ts';
import {
  checkStorageSize,
  MODEL_KINDS,
  type ModelKind,
  NO_MODELS,
  type Permissions,
  parseSize,
  permissionBlock,
} from '../init/rules.ts';
import { requireFolder } from '../source/folder.ts';
import { openManifest, openUp } from '../source/manifest-edit.ts';
import { declarationOf, openSource } from '../source/source.ts';

const FLAGS = ['tool', 'model', 'node', 'app', 'endpoint', 'storage'] as const;

function fromDeclaration(permission: Permission | undefined): Permissions {
  const model = permission?.model;
  return {
    tool: permission?.tool?.enabled === true,
    model:
      model?.enabled === true
        ? Object.assign({ ...NO_MODELS }, Object.fromEntries(MODEL_KINDS.map((kind) => [kind, model[kind] === true])))
        : null,
    node: permission?.node?.enabled === true,
    endpoint: permission?.endpoint?.enabled === true,
    app: permission?.app?.enabled === true,
    storage: permission?.storage?.enabled === true ? permission.storage.size : null,
  };
}

function onOff(flags: Flags, name: 'tool' | 'node' | 'app' | 'endpoint', current: boolean): boolean {
  const value = flags.text(name)?.toLowerCase();
  if (value === undefined) return current;
  if (['on', 'true', 'yes', '1'].includes(value)) return true;
  if (['off', 'false', 'no', '0'].includes(value)) return false;
  throw usageError(`invalid argument "${value}" for "--${name}": expected on or off`);
}

function models(flags: Flags, current: Permissions['model']): Permissions['model'] {
  const value = flags.text('model')?.toLowerCase();
  if (value === undefined) return current;
  if (['off', 'false', 'none', '0', ''].includes(value)) return null;
  const kinds = { ...NO_MODELS };
  for (const part of value.split(',')) {
    const name = part.trim().replaceAll('-', '_');
    const kind: ModelKind | undefined = MODEL_KINDS.find((candidate) => candidate === name);
    if (kind === undefined)
      throw usageError(`invalid argument "${part}" for "--model": expected some of ${MODEL_KINDS.join(', ')}, or off`);
    kinds[kind] = true;
  }
  return kinds;
}

function storage(flags: Flags, current: number | null): number | null {
  const value = flags.text('storage');
  if (value === undefined) return current;
  if (['0', 'off', 'none'].includes(value.toLowerCase())) return null;
  const bytes = parseSize(value);
  const problem = bytes === undefined ? 'expected a size such as 512KB or 2MB, or 0' : checkStorageSize(bytes);
  if (problem !== undefined || bytes === undefined)
    throw usageError(`invalid argument "${value}" for "--storage": ${problem}`);
  return bytes;
}

function lines(permissions: Permissions): string {
  const model =
    permissions.model === null
      ? 'off'
      : MODEL_KINDS.filter((kind) => permissions.model?.[kind]).join(', ') || 'on, but no kind of model';
  const word = (on: boolean): string => (on ? 'on' : 'off');
  return [
    `tool      ${word(permissions.tool)}`,
    `model     ${model}`,
    `node      ${word(permissions.node)}`,
    `app       ${word(permissions.app)}`,
    `endpoint  ${word(permissions.endpoint)}`,
    `storage   ${permissions.storage === null ? 'off' : `${permissions.storage} bytes`}`,
  ].join('\n');
}

export async function run({ args, flags, io, signal }: Call): Promise<Outcome> {
  const folder = args[0] ?? '';
  await requireFolder(folder);
  const { declaration } = declarationOf(await openSource(folder, signal));
  const current = fromDeclaration(declaration.resource.permission);
  if (flags.on('show')) return { text: lines(current), data: { permission: permissionBlock(current) } };

  let wanted: Permissions;
  if (FLAGS.some((name) => flags.has(name))) {
    wanted = {
      tool: onOff(flags, 'tool', current.tool),
      model: models(flags, current.model),
      node: onOff(flags, 'node', current.node),
      app: onOff(flags, 'app', current.app),
      endpoint: onOff(flags, 'endpoint', current.endpoint),
      storage: storage(flags, current.storage),
    };
  } else if (io.interactive) {
    const { askPermissions } = await import('../init/permission-editor.ts');
    const answer = await askPermissions(current);
    if (typeof answer === 'symbol')
      throw new CliError('interrupted', 'nothing was changed', { exit: EXIT.interrupted });
    wanted = answer;
  } else {
    throw usageError(
      `there is no terminal to ask on: name what to change with ${FLAGS.map((name) => `--${name}`).join(', ')}, or use --show`,
    );
  }

  const manifest = await openManifest(folder);
  const before = permissionBlock(current);
  const after = permissionBlock(wanted);
  const changed = JSON.stringify(before) !== JSON.stringify(after);
  if (changed) {
    const path = ['resource', 'permission'];
    if (manifest.document.getIn(path) === undefined || manifest.document.getIn(path) === null)
      manifest.document.setIn(path, manifest.document.createNode({}));
    openUp(manifest.document, path);
    // Key by key, so that comments and unknown keys beside them stay.
    for (const key of ['tool', 'model', 'node', 'endpoint', 'app', 'storage']) {
      const value = after[key]; // permissionBlock makes objects of plain values
      if (JSON.stringify(value) === JSON.stringify(before[key])) continue;
      if (value === undefined) {
        if (manifest.document.getIn([...path, key]) !== undefined) manifest.document.deleteIn([...path, key]);
      } else if (manifest.document.getIn([...path, key]) === undefined)
        manifest.document.setIn([...path, key], manifest.document.createNode(value));
      else
        for (const [name, setting] of Object.entries(value as Record<string, unknown>))
          manifest.document.setIn([...path, key, name], setting);
    }
    await manifest.save();
  }
  io.info(changed ? 'permissions changed' : 'permissions are as wanted already', { path: manifest.path });
  return { text: lines(wanted), data: { changed, permission: after } };
}
