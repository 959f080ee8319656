/**
 * Why a connection is refused: one line of plain text that its developer reads in the console (docs/wire/runtime-protocol.md#registration).
 * The texts are upstream's where it has one.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

export const refusals = {
  badMessage: 'handshake failed, invalid handshake message',
  badKey: 'handshake failed, invalid key',
  twice: 'handshake already completed',
  busy: 'server is busy now, please try again later',
  nothingDeclared: 'no registration transferred, cannot initialize',
  noManifest: 'handshake failed, invalid plugin declaration: no manifest_declaration came before the end',
} as const;

/** As one line: what others make of it must not look like a second message. */
export const refusalLine = (text: string): string => `${text.replaceAll('\r', '')}\n`;
