/** Rows of `dify signature …`. */
import type { CommandRow, GroupRow } from '../command.ts';

export const SIGNATURE_GROUPS: readonly GroupRow[] = [
  { path: ['signature'], summary: 'Make keys, sign packages, verify signatures' },
];

const PACKAGE = { name: 'difypkg_path', help: 'a .difypkg file' };

export const SIGNATURE_ROWS: readonly CommandRow[] = [
  {
    path: ['signature', 'generate'],
    summary: 'Make a pair of RSA keys',
    details:
      'Writes <name>.private.pem (readable by you alone) and <name>.public.pem. Give the public key to the daemon with THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS.',
    args: [],
    flags: [
      {
        name: 'filename',
        short: 'f',
        type: 'string',
        value: 'name',
        help: 'base name of both files (default dify_plugin_signing_key)',
      },
      { name: 'force', type: 'boolean', help: 'replace existing keys' },
    ],
    load: () => import('../signature/generate.ts'),
  },
  {
    path: ['signature', 'sign'],
    summary: 'Sign a package',
    details: 'Writes <package>.signed.difypkg beside the package.',
    args: [PACKAGE],
    flags: [
      { name: 'private_key', short: 'p', type: 'string', value: 'file', required: true, help: 'the private key' },
      {
        name: 'authorized_category',
        short: 'c',
        type: 'string',
        value: 'category',
        default: 'langgenius',
        help: 'langgenius, partner or community',
      },
      { name: 'output_path', short: 'o', type: 'string', value: 'file', help: 'file to write' },
    ],
    load: () => import('../signature/sign.ts'),
  },
  {
    path: ['signature', 'verify'],
    summary: 'Say whether a package is signed, by which key, and whether it was changed',
    args: [PACKAGE],
    flags: [
      {
        name: 'public_key',
        short: 'p',
        type: 'list',
        value: 'file',
        help: 'the public key to check with (repeatable); without it the official one',
      },
    ],
    load: () => import('../signature/verify.ts'),
  },
];
