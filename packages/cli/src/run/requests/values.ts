/** Texts of the command line as values of a declared type; `@file` is what stands in a file. */
import { messageOf } from '@plugin-daemon/values';
import { CliError, EXIT, usageError } from '../../errors.ts';
import { readNamedFileSync } from '../../files/read.ts';

export function fileText(value: string): string {
  try {
    return readNamedFileSync(value.slice(1)).toString('utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('unreadable', `${value.slice(1)}: cannot be read`, { file: value.slice(1), cause: error });
  }
}

export function fileBytes(value: string): Buffer {
  try {
    return readNamedFileSync(value.slice(1));
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('unreadable', `${value.slice(1)}: cannot be read`, { file: value.slice(1), cause: error });
  }
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? fileText(text) : text);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw usageError(`${what} is not JSON: ${messageOf(error)}`);
  }
}

/** One value by its declared type. */
export function convert(name: string, type: string, value: string, options: readonly string[] = []): unknown {
  const wrong = (expected: string): CliError =>
    new CliError('invalid-input', `parameter ${name}: "${value}" is not ${expected}`, { exit: EXIT.usage });
  switch (type) {
    case 'number': {
      const number = Number(value);
      if (value.trim() === '' || Number.isNaN(number)) throw wrong('a number');
      return number;
    }
    case 'boolean':
      if (/^(true|yes|on|1)$/i.test(value)) return true;
      if (/^(false|no|off|0)$/i.test(value)) return false;
      throw wrong('true or false');
    case 'select':
      if (options.length > 0 && !options.includes(value)) throw wrong(`one of ${options.join(', ')}`);
      return value;
    case 'object':
    case 'array':
    case 'array[tools]':
    case 'model-selector':
    case 'app-selector':
    case 'checkbox':
    case 'date-range':
    case 'any': {
      const text = value.startsWith('@') ? fileText(value) : value;
      try {
        return JSON.parse(text);
      } catch {
        if (type === 'any') return value;
        throw wrong('JSON');
      }
    }
    case 'file':
      return value.startsWith('@') || value.startsWith('{')
        ? parseJson(value, `parameter ${name}`)
        : fileReference(value);
    case 'files':
      return value.startsWith('@') || value.startsWith('[')
        ? parseJson(value, `parameter ${name}`)
        : value.split(',').map(fileReference);
    default:
      return value.startsWith('@') ? fileText(value) : value;
  }
}

/** Dify gives files as references the plugin downloads itself. */
function fileReference(url: string): Record<string, unknown> {
  const name = url.split('/').at(-1)?.split('?')[0] ?? 'file';
  const extension = /\.[^.]+$/.exec(name)?.[0] ?? '';
  return {
    dify_model_identity: '__dify__file__',
    url,
    filename: name,
    extension,
    mime_type: null,
    size: 0,
    type: 'custom',
  };
}
