/** One setting of the table, and the constructors the groups are written with. */

/** What the daemon does with a configured value. */
export type SettingStatus =
  /** It changes what the daemon does. */
  | 'used'
  /** Read and checked, then without effect: the name is known from the existing daemon or from shared environments. */
  | 'no-effect'
  /** Some values ask for something this version cannot do: the daemon refuses to start with them. */
  | 'refused';

/** A value that could not be read or is not allowed; becomes a row of `SettingsError`. */
export class InvalidValue extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

export interface Setting<T> {
  /** The kind of value, for the documentation: `text`, `integer`, `boolean`, … */
  readonly type: string;
  readonly unit?: string;
  readonly parse: (raw: string) => T;
  readonly default: T;
  /** How the documentation states the default where it depends on other settings. */
  readonly defaultText?: string;
  readonly meaning: string;
  /** The folder of the daemon that acts on it. */
  readonly usedBy: string;
  readonly status: SettingStatus;
  /** Which values are refused, for the documentation. */
  readonly refused?: string;
  /** An explicit zero means the default (the existing daemon cannot express zero for these either). */
  readonly zeroIsDefault: boolean;
  /** Never shown in messages or logs. */
  readonly secret: boolean;
  /** Other names the value is read from when this one is unset, first wins. */
  readonly aliases: readonly string[];
  /** Exists only in this daemon. */
  readonly own: boolean;
}

export type SettingsTable = { readonly [name: string]: Setting<unknown> };

/** The parsed values of a table: one property per variable. */
export type ValuesOf<Table> = { readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never };

interface Common<T> {
  readonly meaning: string;
  readonly usedBy: string;
  readonly status?: 'used' | 'no-effect';
  /** Which values are refused; then `status` is `refused`. */
  readonly refused?: string;
  readonly unit?: string;
  readonly defaultText?: string;
  readonly zeroIsDefault?: boolean;
  readonly secret?: boolean;
  readonly aliases?: readonly string[];
  readonly own?: boolean;
  /** Throws `InvalidValue` for a configured value this version cannot honour. */
  readonly refuse?: (value: T) => void;
}

type WithDefault<T> = Common<T> & { readonly default: T };
type WithoutDefault<T> = Common<T> & { readonly default?: undefined };

/** A setting of a kind of its own. @param parse throws `InvalidValue` */
export function setting<T>(type: string, parse: (raw: string) => T, options: WithDefault<T>): Setting<T>;
export function setting<T>(
  type: string,
  parse: (raw: string) => T,
  options: WithDefault<T> | WithoutDefault<T>,
): Setting<T | undefined>;
export function setting<T>(
  type: string,
  parse: (raw: string) => T,
  options: WithDefault<T> | WithoutDefault<T>,
): Setting<T | undefined> {
  const { refuse, refused, unit, defaultText } = options;
  return {
    type,
    parse: (raw) => {
      const value = parse(raw.trim());
      refuse?.(value);
      return value;
    },
    default: options.default,
    meaning: options.meaning,
    usedBy: options.usedBy,
    status: refused === undefined ? (options.status ?? 'used') : 'refused',
    zeroIsDefault: options.zeroIsDefault ?? false,
    secret: options.secret ?? false,
    aliases: options.aliases ?? [],
    own: options.own ?? false,
    ...(unit === undefined ? {} : { unit }),
    ...(refused === undefined ? {} : { refused }),
    ...(defaultText === undefined ? {} : { defaultText }),
  };
}

/** Free text; surrounding white space never belongs to it. Without a default, unset reads as undefined. */
export function text(options: WithDefault<string>): Setting<string>;
export function text(options: WithoutDefault<string>): Setting<string | undefined>;
export function text(options: WithDefault<string> | WithoutDefault<string>): Setting<string | undefined> {
  return setting('text', (raw) => raw, options);
}

/** A path, made absolute against the working directory by `loadSettings`. */
export function path(options: WithDefault<string>): Setting<string>;
export function path(options: WithoutDefault<string>): Setting<string | undefined>;
export function path(options: WithDefault<string> | WithoutDefault<string>): Setting<string | undefined> {
  return setting('path', (raw) => raw, options);
}

/** http or https URL, kept as text without trailing slashes. */
export function url(options: WithDefault<string>): Setting<string>;
export function url(options: WithoutDefault<string>): Setting<string | undefined>;
export function url(options: WithDefault<string> | WithoutDefault<string>): Setting<string | undefined> {
  return setting('url', parseUrl, options);
}

function parseUrl(raw: string): string {
  const parsed = URL.parse(raw);
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new InvalidValue(
      'is not an http or https URL',
      'write it with scheme, host and port, such as http://127.0.0.1:5001',
    );
  }
  return raw.replace(/(?<!\/)\/+$/, '');
}

/** Comma-separated words; white space around them and empty ones are dropped. */
export function list(options: WithDefault<readonly string[]>): Setting<readonly string[]> {
  return setting('list', parseList, options);
}

function parseList(raw: string): readonly string[] {
  return raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'true', 'yes', 'on'].map((word): [string, boolean] => [word, true]),
  ...['0', 'f', 'false', 'no', 'off'].map((word): [string, boolean] => [word, false]),
]);

export function boolean(options: WithDefault<boolean>): Setting<boolean> {
  return setting('boolean', parseBoolean, options);
}

function parseBoolean(raw: string): boolean {
  const value = booleans.get(raw.toLowerCase());
  if (value === undefined) throw new InvalidValue('is neither true nor false', 'write true or false');
  return value;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Timers run for 24 days at most; a longer time would end at once, so it stands for that. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const timeUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['min', 60_000],
]);

/** Whole number, also `0x1F`, `0o17`, `0b11`, a leading 0 for octal, and `_` between digits. */
export function integer(options: WithDefault<number> & Range): Setting<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const unitMs = timeUnits.get(options.unit ?? '');
  const longest = unitMs === undefined ? max : Math.floor(LONGEST_TIMER_MS / unitMs);
  return setting('integer', (raw) => Math.min(inRange(parseInteger(raw), min, max), longest), options);
}

/** TCP port. */
export function port(options: WithDefault<number>): Setting<number> {
  return { ...integer({ ...options, max: 65535 }), type: 'port' };
}

function parseInteger(raw: string): number {
  const shape = /^([+-]?)(0x[0-9a-f]+(?:_[0-9a-f]+)*|0o?[0-7]+(?:_[0-7]+)*|0b[01]+(?:_[01]+)*|0|[1-9]\d*(?:_\d+)*)$/i;
  const match = shape.exec(raw);
  if (match === null) throw new InvalidValue('is not a whole number', 'write digits only, without unit or fraction');
  const digits = (match[2] ?? '').replaceAll('_', '').toLowerCase();
  const value = Number(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -value : value;
}

function inRange(value: number, min: number, max: number): number {
  if (value < min || value > max) {
    throw new InvalidValue('is out of range', `choose a number from ${min} to ${max}`);
  }
  return value;
}

/** Decimal number. */
export function decimal(options: WithDefault<number> & Range): Setting<number> {
  const { min = 0, max = Number.MAX_VALUE } = options;
  return setting('number', (raw) => inRange(parseDecimal(raw), min, max), options);
}

function parseDecimal(raw: string): number {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(raw)) {
    throw new InvalidValue('is not a number', 'write a decimal number such as 0.5');
  }
  return Number(raw);
}

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Duration with units (`5s`, `500ms`, `1m30s`); the value is in milliseconds. */
export function duration(options: WithDefault<number>): Setting<number> {
  return setting('duration', (raw) => parseDuration(raw), { unit: 'ms', ...options });
}

function parseDuration(raw: string): number {
  if (raw === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|\u00b5s|ms|s|m|h))+$/.test(raw)) {
    throw new InvalidValue('is not a duration', 'write a number with a unit, such as 30s, 500ms or 1m30s');
  }
  let total = 0;
  for (const [, amount, unit] of raw.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)(ns|us|\u00b5s|ms|s|m|h)/g)) {
    total += Number(amount) * (durationUnits.get(unit ?? '') ?? 0);
  }
  return total;
}

/**
 * One of some words, case-insensitive.
 * @param words spelling → value; the values are what the setting takes
 */
export function choice<T extends string>(
  words: { readonly [spelling: string]: T },
  options: WithDefault<T>,
): Setting<T> {
  const values = [...new Set(Object.values(words))];
  const parse = (raw: string): T => {
    const value = words[raw.toLowerCase()];
    if (value === undefined) throw new InvalidValue('is not a known choice', `choose one of ${values.join(', ')}`);
    return value;
  };
  return setting(values.map((value) => `\`${value}\``).join(' \\| '), parse, options);
}
