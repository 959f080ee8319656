/** One requirement of a package, read far enough to know whom it makes this machine ask; the rest is for uv to judge. */

export interface Requirement {
  /** As uv gets it, on one line. */
  readonly text: string;
  /** Normalised; undefined for a bare URL or path. */
  readonly name: string | undefined;
  /** `git+https://…`, `https://….whl`, `file://…`: whatever stands after `@`, or alone. */
  readonly url: string | undefined;
  /** A file or folder, as written. */
  readonly path: string | undefined;
  /** Without white space, clauses in order: for comparing with a lock file. */
  readonly specifier: string;
  /** The condition after `;`. */
  readonly marker: string | undefined;
}

/** A longer one is nothing a person wrote … */
const LONGEST = 2000;
/** … but a lock file has the hash of every wheel there is: 75 for the largest distribution of the known plugins. */
const MOST_HASHES = 2000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*/;
const HASH = /^--hash=(?:sha256|sha384|sha512):[0-9a-f]{64,128}$/;

export const normalizedName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** @returns the requirement, or in words why the text is none that can be taken */
export function readRequirement(line: string): Requirement | string {
  // uv would put variables of its own environment in there, passwords of indexes among them.
  if (line.includes('${')) return `variables are not put into requirements: ${line}`;
  const [text, ...options] = line.split(/\s--/);
  if (text === undefined || text.trim() === '' || text.trim().startsWith('-')) return `not a requirement: ${line}`;
  if (text.length > LONGEST) return `a requirement of ${text.length} characters`;
  if (options.length > MOST_HASHES) return `a requirement with ${options.length} options: ${text}`;
  const hashes = options.map((option) => `--${option.trim()}`);
  const unknown = hashes.find((option) => !HASH.test(option.replace(/^--hash\s/, '--hash=')));
  if (unknown !== undefined) return `option ${unknown} of a requirement is not known`;
  const found = parts(text.trim());
  if (found.path !== undefined && !/[/\\]|^\.|\.(?:whl|zip|tar\.[a-z]{2,4}|tgz)$/.test(found.path))
    return `not a requirement: ${line}`;
  const suffix = hashes.map((hash) => ` ${hash.replace(/^--hash\s/, '--hash=')}`).join('');
  return { ...found, text: text.trim() + suffix };
}

function parts(text: string): Omit<Requirement, 'text'> {
  const name = NAME.exec(text)?.[0] ?? '';
  let rest = text.slice(name.length).trimStart();
  if (name !== '' && rest.startsWith('[')) {
    const end = rest.indexOf(']');
    rest = end === -1 ? rest : rest.slice(end + 1).trimStart();
  }
  if (name === '' || !(rest === '' || '<>=!~;@('.includes(rest.charAt(0)))) return bare(text);
  if (rest.startsWith('@')) {
    // A marker needs white space before its semicolon here, which URLs may contain.
    const [url = '', ...after] = rest.slice(1).trim().split(/\s/);
    const marker = after.join(' ').trim();
    return {
      name: normalizedName(name),
      ...location(url),
      specifier: '',
      marker: marker.startsWith(';') ? marker.slice(1).trim() : undefined,
    };
  }
  const semicolon = rest.indexOf(';');
  const specifier = semicolon === -1 ? rest : rest.slice(0, semicolon);
  return {
    name: normalizedName(name),
    url: undefined,
    path: undefined,
    specifier: normalizedSpecifier(specifier),
    marker: semicolon === -1 ? undefined : rest.slice(semicolon + 1).trim(),
  };
}

const bare = (text: string): Omit<Requirement, 'text'> => ({
  name: undefined,
  ...location(text.split(/\s/)[0] ?? ''),
  specifier: '',
  marker: undefined,
});

function location(text: string): Pick<Requirement, 'url' | 'path'> {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return { url: text, path: undefined };
  return { url: undefined, path: text };
}

export const normalizedSpecifier = (text: string): string =>
  text
    .replaceAll(/[\s()]/g, '')
    .split(',')
    .filter((clause) => clause !== '')
    .sort()
    .join(',');
