import { lstatSync } from 'node:fs';
import { wheelWithin } from './plan.ts';
import type { Requirement } from './requirement.ts';

/** Hosts that packages may have asked beside the operator's index (PLUGIN_SOURCE_HOSTS). */
export interface SourcePolicy {
  allowsHost(host: string): boolean;
}

/** @param hosts names, `*.example.org` for all below, `*` for every host */
export function sourcePolicy(hosts: readonly string[]): SourcePolicy {
  const entries = hosts.map((host) => host.trim().toLowerCase()).filter((host) => host !== '');
  return {
    allowsHost: (host) =>
      entries.some(
        (entry) => entry === '*' || entry === host || (entry.startsWith('*.') && host.endsWith(entry.slice(1))),
      ),
  };
}

export interface Admitted {
  /** Lines for uv. */
  readonly lines: readonly string[];
  /** Requirements that would ask a host that is not allowed. */
  readonly refused: readonly { text: string; host: string }[];
  /** Requirements that would build a folder or an archive of the package, by code of the package. */
  readonly ownBuilds: readonly string[];
}

/** Writes requirements for uv: those that stay with the operator's index, and those whose address is allowed. */
export function admit(requirements: readonly Requirement[], directory: string, policy: SourcePolicy): Admitted {
  const lines: string[] = [];
  const refused: { text: string; host: string }[] = [];
  const ownBuilds: string[] = [];
  for (const requirement of requirements) {
    const { name, text, url, path, marker } = requirement;
    if (url === undefined && path === undefined) {
      lines.push(text);
      continue;
    }
    const wheel = wheelWithin(directory, requirement);
    if (wheel !== undefined && isFile(wheel)) {
      const condition = marker === undefined ? '' : ` ; ${marker}`;
      lines.push(name === undefined ? wheel : `${name} @ file://${encodeURI(wheel)}${condition}`);
      continue;
    }
    const host = url === undefined ? undefined : hostOf(url);
    if (host === undefined) ownBuilds.push(text);
    else if (policy.allowsHost(host)) lines.push(text);
    else refused.push({ text, host });
  }
  return { lines, refused, ownBuilds };
}

/** Undefined for what is not fetched from a host. */
export function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url.replace(/^[a-z]{2,6}\+/i, ''));
  // `git+git@host:path` and the like have no form that can be judged: their text stands for the host.
  if (parsed === null) return /^[a-z]{2,6}\+/i.test(url) ? url.slice(0, 100) : undefined;
  if (parsed.protocol === 'file:') return undefined;
  return parsed.hostname.toLowerCase() || url.slice(0, 100);
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
