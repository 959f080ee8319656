/** Decimals in plain notation: no exponent, no trailing zeros, exact (http-api §6.2). */

/** A number or a decimal text as plain text; undefined if it is neither. */
export function plainDecimal(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(String(value));
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  if (whole === '' && fraction === '') return undefined;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const rest = padded.slice(at).replace(/0+$/, '');
  const text = rest === '' ? integer : `${integer}.${rest}`;
  return sign === '-' && /[1-9]/.test(text) ? `-${text}` : text;
}

/** What is wrong with a value that is no decimal, in the words that plugin authors know (http-api §4.1). */
export function decimalProblem(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? value : (JSON.stringify(value) ?? '');
  const [, head = text, exponent] = /^([^eE]*)[eE](.*)$/s.exec(text) ?? [];
  const said = `error decoding string '${text}': can't convert`;
  if (exponent !== undefined && !/^[+-]?\d+$/.test(exponent))
    return `${said} ${text} to decimal: exponent is not numeric`;
  return `${said} ${head} to decimal${head.split('.').length > 2 ? ': too many .s' : ''}`;
}
