/**
 * The flag dialect scripts already use, turned into one spelling: `-fvalue`, `-f=value`, `--flag value`,
 * `--flag=value`, `--flag=true|false` for switches, `_` and `-` alike in names, flags and arguments in any order,
 * `--` ends flags (docs/wire/cli.md#flags).
 */

import type { CommandRow, Flag } from '../command.ts';
import { usageError } from '../errors.ts';

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Names compare alike with `_` and `-`. */
export function canonicalName(name: string): string {
  return name.replaceAll('_', '-');
}

function findLong(flags: readonly Flag[], name: string): Flag | undefined {
  const wanted = canonicalName(name);
  return flags.find((flag) => canonicalName(flag.name) === wanted);
}

export function rowAt(rows: readonly CommandRow[], words: readonly string[]): CommandRow | undefined {
  return rows.find(
    (row) =>
      row.path.length === words.length &&
      row.path.every((word, index) =>
        index === row.path.length - 1
          ? word === words[index] || (row.aliases ?? []).includes(words[index] ?? '')
          : word === words[index],
      ),
  );
}

/** The command that the words name, looking only as far as needed. */
export function locate(
  rows: readonly CommandRow[],
  globals: readonly Flag[],
  argv: readonly string[],
): CommandRow | undefined {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] ?? '';
    if (token === '--') return undefined;
    if (token.startsWith('-')) {
      const flag = token.startsWith('--') && !token.includes('=') ? findLong(globals, token.slice(2)) : undefined;
      if (flag !== undefined && flag.type !== 'boolean') index++;
      continue;
    }
    words.push(token);
    const row = rowAt(rows, words);
    if (row !== undefined) return row;
  }
  return undefined;
}

interface Written {
  flag: Flag;
  shown: string;
  inline: string | undefined;
}

function switchTokens({ flag, shown, inline }: Written): string[] {
  if (inline === undefined || TRUE.has(inline)) return [`--${flag.name}`];
  if (FALSE.has(inline)) return [];
  throw usageError(`invalid argument "${inline}" for "${shown}" flag: expected true or false`);
}

/**
 * Rewrites arguments into the canonical spelling. Unknown flags stay as they are: the parser names them.
 * @param flags the flags of the located command and the global ones
 */
export function normalizeArguments(flags: readonly Flag[], argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] ?? '';
    if (token === '--') {
      out.push(...argv.slice(index));
      break;
    }
    const take = (written: Written): void => {
      if (written.flag.type === 'boolean') {
        out.push(...switchTokens(written));
        return;
      }
      let value = written.inline;
      if (value === undefined) {
        if (written.flag.optionalValue !== undefined) value = written.flag.optionalValue;
        else if (index + 1 < argv.length) value = argv[++index] ?? '';
        else throw usageError(`flag needs an argument: ${written.shown}`);
      }
      out.push(`--${written.flag.name}=${value}`);
    };
    if (token.startsWith('--')) {
      const equals = token.indexOf('=');
      const name = token.slice(2, equals < 0 ? undefined : equals);
      const flag = findLong(flags, name);
      if (flag === undefined) out.push(token);
      else take({ flag, shown: `--${flag.name}`, inline: equals < 0 ? undefined : token.slice(equals + 1) });
    } else if (token.startsWith('-') && token.length > 1) {
      for (let at = 1; at < token.length; at++) {
        const flag = flags.find((candidate) => candidate.short === token[at]);
        if (flag === undefined) {
          out.push(token[at] === 'h' ? '--help' : `-${token.slice(at)}`);
          break;
        }
        const rest = token.slice(at + 1);
        const shown = `-${token[at]}, --${flag.name}`;
        if (flag.type === 'boolean') {
          if (rest.startsWith('=')) {
            take({ flag, shown, inline: rest.slice(1) });
            break;
          }
          take({ flag, shown, inline: undefined });
          continue;
        }
        take({ flag, shown, inline: rest === '' ? undefined : rest.replace(/^=/, '') });
        break;
      }
    } else out.push(token);
  }
  return out;
}
