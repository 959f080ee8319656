/** Hex as upstream reads it, with its words for what is wrong. */

export class HexError extends Error {
  override readonly name = 'HexError';
}

/** @throws HexError naming the first wrong byte, or an odd length */
export function decodeHex(text: string): Buffer {
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length * 2 === text.length) return bytes;
  const wrong = /[^\da-fA-F]/u.exec(text);
  if (wrong === null) throw new HexError('encoding/hex: odd length hex string');
  const [byte = 0] = Buffer.from(wrong[0]);
  const shown = `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`;
  throw new HexError(`encoding/hex: invalid byte: ${shown} '${String.fromCharCode(byte)}'`);
}
