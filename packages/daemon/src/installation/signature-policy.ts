import { readFile } from 'node:fs/promises';
import type { Log } from '../telemetry/index.ts';
import type { IntakeRules, PackageRules } from './packages/package-jobs.ts';

export interface SignaturePolicyOptions {
  /** MAX_PLUGIN_PACKAGE_SIZE, bytes. */
  readonly maxPackageBytes: number;
  /** MAX_BUNDLE_PACKAGE_SIZE, bytes. */
  readonly maxBundleBytes: number;
  /** FORCE_VERIFYING_SIGNATURE */
  readonly forceVerification: boolean;
  /** THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED */
  readonly thirdPartyKeys: boolean;
  /** THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS, paths of PEM files. */
  readonly publicKeyFiles: readonly string[];
  /** ENFORCE_LANGGENIUS_PLUGIN_SIGNATURES; upstream applies it to packages in bundles only, and so do we. */
  readonly protectLanggenius: boolean;
}

/**
 * Which packages are accepted (lifecycle-and-cluster §15). Keys are read for every package, so that a new key works at once.
 * One unreadable key file makes every package unverified, as upstream has it: an operator who lists a key must not be left
 * without it unnoticed.
 */
export class SignaturePolicy {
  readonly #options: SignaturePolicyOptions;
  readonly #log: Log;

  constructor(options: SignaturePolicyOptions, log: Log) {
    this.#options = options;
    this.#log = log;
  }

  /** The rules for a package that was accepted before. */
  async forStored(): Promise<IntakeRules> {
    return { ...(await this.#intake(false)), requireVerified: false, protectLanggenius: false };
  }

  async forReading(): Promise<PackageRules> {
    const maxUnpackedBytes = this.#options.maxPackageBytes;
    if (!this.#options.thirdPartyKeys) return { maxUnpackedBytes, publicKeys: [], distrustAll: false };
    try {
      const publicKeys = await Promise.all(this.#options.publicKeyFiles.map((file) => readFile(file.trim(), 'utf8')));
      return { maxUnpackedBytes, publicKeys, distrustAll: false };
    } catch (error) {
      this.#log.error(
        { err: error, setting: 'THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS' },
        'a public key cannot be read: no package counts as verified until it can',
      );
      return { maxUnpackedBytes, publicKeys: [], distrustAll: true };
    }
  }

  /** @param verifySignature what the upload itself asked for */
  async forUpload(verifySignature: boolean): Promise<IntakeRules> {
    return { ...(await this.#intake(verifySignature)), protectLanggenius: false };
  }

  async forBundle(verifySignature: boolean): Promise<IntakeRules> {
    return this.#intake(verifySignature);
  }

  async #intake(verifySignature: boolean): Promise<IntakeRules> {
    return {
      ...(await this.forReading()),
      requireVerified: this.#options.forceVerification || verifySignature,
      protectLanggenius: this.#options.protectLanggenius,
      maxBundleBytes: this.#options.maxBundleBytes,
    };
  }
}
