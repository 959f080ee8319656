/**
 * What is in a plugin's folder by accident and must not leave it: credentials and private keys, by the names tools give them and
 * by what a file begins with. Reads the first bytes of small files only.
 */
import { open } from 'node:fs/promises';

/** Patterns with gitignore's meaning; a later one overrides an earlier one. */
export const SECRET_EXCLUDES: readonly string[] = [
  '.env',
  '.env.*',
  '!.env.example',
  '!.env.sample',
  '!.env.template',
  '!.env.dist',
  '*.env',
  '.envrc',
  '.direnv/',
  // Keys
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ecdsa_sk',
  'id_ed25519',
  'id_ed25519_sk',
  '*.private.pem',
  '*.key',
  '!*.public.key',
  '*.ppk',
  '*.p8',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  '.ssh/',
  '.gnupg/',
  // Registries, version control, databases
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  'pip.conf',
  '.netrc',
  '_netrc',
  '.git-credentials',
  '.dockercfg',
  '.docker/',
  '.pgpass',
  '.my.cnf',
  '.htpasswd',
  // Clouds
  '.aws/',
  '.azure/',
  '.config/gcloud/',
  '.gcloud/',
  'application_default_credentials.json',
  'client_secret*.json',
  '.oci/',
  '.kube/',
  'kubeconfig',
  '.s3cfg',
  '.boto',
  '.vault-token',
  '*.tfstate',
  '*.tfstate.backup',
  '.terraformrc',
];

/** Larger files hold no key. */
const MAX_BYTES = 256 * 1024;
const HEAD_BYTES = 8192;

/** A key file begins with its armour, or with the few attributes that openssl writes before it. */
const PEM_KEY = /^(?:\uFEFF)?(?:[^\n]{0,200}\n){0,12}?-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/;
const PUTTY_KEY = /^PuTTY-User-Key-File-\d:/;
const JSON_KEY = /"private_key"\s{0,8}:\s{0,8}"-----BEGIN /;
/** Programs and texts talk about keys without being one. */
const TALKS = /\.(?:py|pyi|js|ts|md|rst|ya?ml|toml|html|ipynb)$/i;

/** Whether a file is a private key, by what it begins with. */
export async function holdsPrivateKey(source: string, name: string, size: number): Promise<boolean> {
  if (size === 0 || size > MAX_BYTES || TALKS.test(name)) return false;
  const file = await open(source, 'r');
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(Math.min(size, HEAD_BYTES)), position: 0 });
    const head = buffer.toString('latin1', 0, bytesRead);
    return PEM_KEY.test(head) || PUTTY_KEY.test(head) || (name.endsWith('.json') && JSON_KEY.test(head));
  } finally {
    await file.close();
  }
}
