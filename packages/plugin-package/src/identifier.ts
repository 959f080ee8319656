import { PackageError } from './errors.ts';

/** `[author/]name:version@checksum`, taken apart (docs/wire/packages.md#identifier). */
export interface UniqueIdentifier {
  readonly text: string;
  /** the part before `:`, author included */
  readonly pluginId: string;
  /** the part before `@`: plugin id and version */
  readonly identity: string;
  /** '' when the identifier has none */
  readonly author: string;
  readonly name: string;
  readonly version: string;
  /** 32 to 64 lower-case hex digits */
  readonly checksum: string;
}

const IDENTIFIER =
  /^(?:([a-z0-9_-]{1,64})\/)?([a-z0-9_-]{1,255}):([0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:-[0-9A-Za-z_]{1,16})?)@([a-f0-9]{32,64})$/;
const UUID_FORMS = [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, /^[0-9a-f]{32}$/i];

/** @throws PackageError `plugin_unique_identifier is not valid: …` */
export function parseUniqueIdentifier(text: string): UniqueIdentifier {
  const parts = IDENTIFIER.exec(text);
  if (parts === null) throw new PackageError(`plugin_unique_identifier is not valid: ${text}`);
  const [, author = '', name = '', version = '', checksum = ''] = parts;
  const pluginId = author === '' ? name : `${author}/${name}`;
  return { text, pluginId, identity: `${pluginId}:${version}`, author, name, version, checksum };
}

export function isUniqueIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** Whether a text is a UUID the way debugging plugins carry one as their author: 36-character form or 32 hex digits. */
export function isUuid(text: string): boolean {
  return UUID_FORMS.some((form) => form.test(text));
}

/** Whether the author of an identifier is a UUID: a plugin that was connected for debugging, in the older scheme. */
export function isRemoteLike(text: string): boolean {
  const id = text.split(':');
  const parts = id.length === 2 ? (id[0] ?? '').split('/') : [];
  return parts.length === 2 && isUuid(parts[0] ?? '');
}

/** The folder below the working path where a plugin's files lie; `:` is not allowed in names on every file system. */
export function workingDirectoryName(uid: UniqueIdentifier): string {
  return `${uid.identity.replaceAll(':', '-')}@${uid.checksum}`;
}
