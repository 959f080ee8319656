import { matches, parseGlob } from '../declaration/index.ts';

/** Whether a path, given as its components from the root, is left out of the package. */
export type IgnoreRule = (path: readonly string[], isDirectory: boolean) => boolean;

/**
 * The patterns of a .difyignore or .gitignore file, as plugin packers have always read them (docs/wire/packages.md#ignore-files): any
 * pattern that matches leaves the path out, and a negated one never takes it back in.
 */
export function parseIgnoreFile(text: string): IgnoreRule {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('!'))
    .map(parsePattern);
  return (path, isDirectory) => rules.some((rule) => rule(path, isDirectory));
}

type ComponentMatch = (component: string) => boolean | 'malformed';

function parsePattern(line: string): IgnoreRule {
  const directoryOnly = line.endsWith('/');
  const parts = (directoryOnly ? line.slice(0, -1) : line).split('/');
  if (parts.length === 1) return byName(component(parts[0] ?? ''), directoryOnly);
  return anchored(parts, directoryOnly);
}

/** Any component of that name; for directories only, the last one must be a directory. */
function byName(matcher: ComponentMatch, directoryOnly: boolean): IgnoreRule {
  return (path, isDirectory) => {
    for (const [i, name] of path.entries()) {
      const matched = matcher(name);
      if (matched === 'malformed') return false;
      if (matched) return !(directoryOnly && !isDirectory && i === path.length - 1);
    }
    return false;
  };
}

/** Component by component from the root; `**` stands for any number of directories. */
function anchored(parts: readonly string[], directoryOnly: boolean): IgnoreRule {
  const steps = parts.map((part) => ({ part, matcher: component(part) }));
  return (path, isDirectory) => {
    let at = 0;
    let matched = false;
    let anywhere = false;
    for (const [i, { part, matcher }] of steps.entries()) {
      if (part === '') {
        anywhere = false;
        continue;
      }
      if (part === '**') {
        if (i === steps.length - 1) break;
        anywhere = true;
        continue;
      }
      if (part.includes('**') || at >= path.length) return false;
      if (anywhere) {
        anywhere = false;
        matched = false;
        while (at < path.length && !matched) {
          const found = matcher(path[at++] ?? '');
          if (found === 'malformed') return false;
          matched = found;
        }
      } else {
        if (matcher(path[at++] ?? '') !== true) return false;
        matched = true;
      }
    }
    return matched && !(directoryOnly && !isDirectory && at >= path.length);
  };
}

function component(pattern: string): ComponentMatch {
  const tokens = parseGlob(pattern);
  return tokens === null ? () => 'malformed' : (name) => matches(tokens, [...name]);
}
