/** Whom uv asks: the operator's index, and hosts of the package only where the operator lets it. */
import { hostOf, type SourcePolicy } from './dependencies/index.ts';

export interface IndexArguments {
  readonly args: readonly string[];
  /** Addresses of the package that are not asked. */
  readonly leftOut: readonly string[];
}

/**
 * @param mirrorUrl the operator's index; undefined: what uv itself is configured with
 * @param ownSources indexes and pages of links that the package names
 */
export function indexArguments(
  mirrorUrl: string | undefined,
  ownSources: readonly string[],
  policy: SourcePolicy,
): IndexArguments {
  const args = mirrorUrl === undefined ? [] : ['-i', mirrorUrl];
  const leftOut: string[] = [];
  for (const source of ownSources) {
    const host = source.includes('${') ? undefined : hostOf(source);
    if (host !== undefined && policy.allowsHost(host)) args.push('--extra-index-url', source);
    else leftOut.push(source);
  }
  return { args, leftOut };
}

/** Whether uv gets a secret that code it runs could read: in the address of an index, beside it, or from a keyring. */
export function hasCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  mirrorUrl: string | undefined,
): boolean {
  const addresses = [mirrorUrl, ...ADDRESSES.map((name) => environment[name])];
  if (addresses.some((text) => text !== undefined && /:\/\/[^/\s]{1,500}@/.test(text))) return true;
  return Object.entries(environment).some(
    ([name, value]) => value && (name === 'UV_KEYRING_PROVIDER' || /^UV_INDEX_.{1,200}_PASSWORD$/.test(name)),
  );
}

const ADDRESSES = ['UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_INDEX_URL', 'UV_EXTRA_INDEX_URL', 'UV_FIND_LINKS'];
