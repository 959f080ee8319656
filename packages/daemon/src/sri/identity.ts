import { createHash } from 'node:crypto';
import { isUniqueIdentifier, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';

const SUFFIX = '.difypkg';
/** Kubernetes names and labels are not longer; containers and directories could be. */
const MAX_NAME = 63;
const DIGEST_LENGTH = 16;
/** Room for what instances add to the name of their function. */
const MAX_PLUGIN = MAX_NAME - DIGEST_LENGTH - 12;

/** The name under which daemons ask for the function of a package: `<author>@<name>@<version>@<checksum>.difypkg`. */
export function fileNameOf(identifier: string): string {
  const { author, name, version, checksum } = parseUniqueIdentifier(identifier);
  return `${author}@${name}@${version}@${checksum}${SUFFIX}`;
}

/** The identifier that such a file name stands for; undefined when it is none. */
export function identifierOf(fileName: string): string | undefined {
  if (!fileName.endsWith(SUFFIX)) return undefined;
  const parts = fileName.slice(0, -SUFFIX.length).split('@');
  if (parts.length !== 4) return undefined;
  const [author, name, version, checksum] = parts;
  const identifier = `${author === '' ? '' : `${author}/`}${name}:${version}@${checksum}`;
  return isUniqueIdentifier(identifier) ? identifier : undefined;
}

/**
 * A name for the function of a package: the same each time, at most 51 characters of a DNS label, so that every back end can use it and
 * add to it. It may not hold `,` or `=`, at which daemons split what they are told.
 */
export function functionNameOf(identifier: string): string {
  const { name } = parseUniqueIdentifier(identifier);
  const plain = name.replace(/[^a-z0-9]+/g, '-').slice(0, MAX_PLUGIN);
  const digest = createHash('sha256').update(identifier).digest('hex').slice(0, DIGEST_LENGTH);
  return `fn-${plain}-${digest}`.replace(/-{2,}/g, '-');
}
