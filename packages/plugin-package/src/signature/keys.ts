import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { PackageError } from '../errors.ts';

/** The published key that packages of the marketplace are signed with. */
export const OFFICIAL_PUBLIC_KEY = `-----BEGIN RSA PUBLIC KEY-----
MIICCgKCAgEAwUY1cndCmqclHHlCn/PVB011n0m+vmXT2M/QWbViM/2oqO2S5lXl
VYwZjbN+r3xjUxnzCK6YC7fCI0CXJ69RPTpfRc9meV0TPb50g01kJI6HWL+SziZs
i+Mmul5ji7W4ebpOUNUPuBgFFfzrOv4BSO6tWVfpiqFTdfF3o2XT3FUja2rMCSQO
dsGvuhX5/YYAnOH4suxGo+nWda/QC+ohM4z8yLuM6fo7QPmkjTXN+jr7+RZ6JA7g
6XT7TdMK8oJcqMm15E0pRmgfNNLvqSeVcVM5OgmteTpSn7ekSdCMOpai3Cnc4zOa
PWSViiHTDu9AIoDbSBRQbvOaQ339eXOlHnomvg6WK6hw3hYoE+ASkv5qK9BwuWqn
xdUQ99qJ04eNTGjqCo65P9DKzpDb5BT5cxg40Utue0MbuN6pLPwhqkvnVmExuykw
aLQmTwnLODOD4gc5UU1dUeSUOxQeSoL8zSqL809ZV89B31jYOSFqcKEbyhoKaen3
dQSUFxEIca7Juj4E4tC+V1RsU2GSaVRCKEtJ4RBnDkQvB4aRBL+zpc26aIBKb3G3
0a9BWRvXRy+gr/qx8fDJgOuF23j1WXEDVsNtK6vpHGQkDUmsBsE2U+Sag9l2Vnq1
hrqLbjz2PPOHsBkg09IlM6SNr2NaEWvVJnC/szW8EQ51QBz8XJOnEmUCAwEAAQ==
-----END RSA PUBLIC KEY-----
`;

export interface KeyPair {
  /** PEM, PKCS#1, unencrypted: to be kept unreadable for others */
  readonly privateKey: string;
  /** PEM, PKCS#1 */
  readonly publicKey: string;
}

/** A fresh RSA key pair; 4096 bits unless told otherwise. */
export function generateKeyPair(bits = 4096): KeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}

/** An RSA public key from PEM, PKCS#1 or SubjectPublicKeyInfo; white space around it does not matter. @throws PackageError */
export function parsePublicKey(pem: string): KeyObject {
  const key = parsed(() => createPublicKey(onlyBlock(pem, 'public')), 'public');
  if (key.asymmetricKeyType !== 'rsa') throw new PackageError('the public key is not an RSA key');
  return key;
}

/** An RSA private key from PEM. @throws PackageError */
export function parsePrivateKey(pem: string): KeyObject {
  const key = parsed(() => createPrivateKey(onlyBlock(pem, 'private')), 'private');
  if (key.asymmetricKeyType !== 'rsa') throw new PackageError('the private key is not an RSA key');
  return key;
}

function onlyBlock(pem: string, word: 'public' | 'private'): string {
  const text = pem.trim();
  const kind = word === 'public' ? 'PUBLIC' : 'PRIVATE';
  if (!text.startsWith('-----BEGIN ') || !text.includes(`${kind} KEY-----`)) {
    throw new PackageError(`failed to decode PEM block containing ${word} key`);
  }
  const end = text.indexOf('\n-----END ');
  const rest = end < 0 ? '' : text.slice(end + 1).replace(/^-----END [A-Z ]+-----/, '');
  if (end < 0) throw new PackageError(`failed to decode PEM block containing ${word} key`);
  if (rest.trim() !== '') throw new PackageError('extra data included in the PEM block');
  return text;
}

function parsed(parse: () => KeyObject, word: string): KeyObject {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof PackageError) throw cause;
    throw new PackageError(`failed to parse the ${word} key`, { cause });
  }
}
