/**
 * Signatures of packages (docs/wire/packages.md#signature): making, judging, keys. Touches no file; keys come and go as PEM text.
 * Called by decodePackage and by the command line tool.
 */
export { generateKeyPair, type KeyPair, OFFICIAL_PUBLIC_KEY, parsePrivateKey, parsePublicKey } from './keys.ts';
export { type SignOptions, signPackage } from './sign.ts';
export {
  AUTHORIZED_CATEGORIES,
  type AuthorizedCategory,
  type SignatureState,
  type SignatureVerdict,
  VERIFICATION_FILE,
  type Verification,
  type VerifyOptions,
  verifySignature,
} from './verify.ts';
