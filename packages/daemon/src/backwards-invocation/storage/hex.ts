/** Hex as upstream writes and reads it, with its words for what is wrong. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes whose digits are made in one turn of the event loop. */
const PIECE_BYTES = 256 * 1024;

/** The digits of `bytes`; of many in pieces, with turns for everybody else between them. */
export async function hexPieces(bytes: Buffer): Promise<string | readonly Buffer[]> {
  if (bytes.length <= PIECE_BYTES) return bytes.toString('hex');
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    pieces.push(Buffer.from(bytes.toString('hex', at, Math.min(at + PIECE_BYTES, bytes.length)), 'latin1'));
    await nextTurn();
  }
  return pieces;
}

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
