import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { parsePublicKey } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
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

const SETTING = 'THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS';
/** No key is that long. */
const MAX_KEY_BYTES = 64 * 1024;

/**
 * Which packages are accepted (docs/wire/lifecycle.md#signature-policy). Keys are read for every package, so that a new key works at once.
 * A key that cannot be used is named in the log, at the start and whenever that changes; the others count all the same.
 */
export class SignaturePolicy {
  readonly #options: SignaturePolicyOptions;
  readonly #log: Log;
  /** What was wrong with a file when it was last told. */
  readonly #told = new Map<string, string>();

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
    const keys = await this.#keys();
    const publicKeys = keys.filter((key) => key !== undefined);
    return { maxUnpackedBytes, publicKeys, unusableKeys: keys.length - publicKeys.length };
  }

  /** Looks at the configured keys before they are needed; what is wrong with them stands in the log. */
  async check(): Promise<void> {
    await this.#keys();
  }

  async #keys(): Promise<readonly (string | undefined)[]> {
    if (!this.#options.thirdPartyKeys) return [];
    const files = this.#options.publicKeyFiles.map((file) => file.trim()).filter((file) => file !== '');
    return Promise.all(files.map((file) => this.#key(file)));
  }

  async #key(file: string): Promise<string | undefined> {
    try {
      const pem = await readKey(file);
      parsePublicKey(pem);
      if (this.#told.delete(file)) this.#log.info({ setting: SETTING, file }, 'a public key can be used again');
      return pem;
    } catch (error) {
      const reason = messageOf(error);
      if (this.#told.get(file) !== reason) {
        this.#told.set(file, reason);
        const remedy = `Put an RSA public key in PEM there, or take the file out of ${SETTING}`;
        this.#log.error(
          { setting: SETTING, file, reason, remedy },
          'a public key cannot be used: packages signed with it do not count as verified',
        );
      }
      return undefined;
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

async function readKey(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    // Without waiting: a pipe would keep the daemon from starting.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is no regular file`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_KEY_BYTES + 1), 0, MAX_KEY_BYTES + 1, 0);
    if (bytesRead > MAX_KEY_BYTES) throw new Error(`${file} is larger than any key`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle?.close();
  }
}
