import { boolean, choice, integer, list, path, text, url } from './setting.ts';

/** Packages, signatures and Python environments. Source: docs/wire/state.md#settings. */
export const installationSettings = {
  MAX_PLUGIN_PACKAGE_SIZE: integer({
    default: 52_428_800,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning: 'Largest `.difypkg`, as uploaded and as unpacked.',
    usedBy: 'installation',
  }),
  MAX_BUNDLE_PACKAGE_SIZE: integer({
    default: 629_145_600,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning: 'Largest bundle.',
    usedBy: 'installation',
  }),
  FORCE_VERIFYING_SIGNATURE: boolean({
    default: true,
    meaning: 'Refuses packages without a valid signature.',
    usedBy: 'installation',
  }),
  THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED: boolean({
    default: false,
    meaning: 'Accepts signatures of the additional keys below.',
    usedBy: 'installation',
  }),
  THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS: list({
    default: [],
    meaning:
      'Paths of additional public keys (PEM files). One that cannot be used is named in the log at start; the others count. Their packages are never of the category `langgenius`.',
    usedBy: 'installation',
  }),
  ENFORCE_LANGGENIUS_PLUGIN_SIGNATURES: boolean({
    default: true,
    meaning:
      'Plugins that call themselves those of Langgenius must carry its signature (bundles only, as in the existing daemon).',
    usedBy: 'installation',
  }),
  PLUGIN_INSTALL_TIMEOUT: integer({
    default: 15,
    zeroIsDefault: true,
    unit: 'min',
    meaning: 'Longest duration of one install or upgrade.',
    usedBy: 'installation',
  }),
  INSTALL_READY_NODES: integer({
    default: 1,
    min: 1,
    max: 1000,
    meaning:
      'On how many nodes a plugin has to be ready before its installation or upgrade is acknowledged: on all of them, when there are fewer that run plugins. Functions are ready everywhere.',
    usedBy: 'installation',
    own: true,
  }),
  PLUGIN_PACKAGE_RETENTION: integer({
    default: 0,
    unit: 'days',
    max: 36_500,
    meaning:
      'Uploaded packages that no tenant has installed are removed when they are older than this; 0 keeps them for ever, as the existing daemon does.',
    usedBy: 'installation',
    own: true,
  }),
  PYTHON_INTERPRETER_PATH: path({
    default: '/usr/bin/python3',
    meaning: 'Python interpreter that environments are made with.',
    usedBy: 'environments',
  }),
  UV_PATH: path({
    meaning:
      'The uv executable. Unset: looked for on PATH and beside the interpreter, else fetched once from the package index.',
    usedBy: 'environments',
  }),
  PYTHON_ENV_INIT_TIMEOUT: integer({
    default: 120,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Longest silence of the installer, and longest wait for a started plugin to report ready.',
    usedBy: 'environments, supervision',
  }),
  PYTHON_COMPILE_ALL_EXTRA_ARGS: text({
    default: '',
    meaning: 'Further arguments of `python -m compileall`, separated by white space.',
    usedBy: 'environments',
  }),
  PIP_MIRROR_URL: url({
    meaning: 'Package index to install from instead of the public one; switches the detection of mirrors off.',
    usedBy: 'environments',
  }),
  PIP_MIRROR_AUTO_DETECT: boolean({
    default: true,
    meaning: 'Looks for a faster mirror of the public package index before the first install.',
    usedBy: 'environments',
  }),
  PIP_MIRROR_CANDIDATES: list({
    default: [],
    meaning: 'Mirrors to try. None are built in, so nothing is probed until some are named.',
    usedBy: 'environments',
  }),
  PIP_MIRROR_AUTO_DETECT_TIMEOUT: integer({
    default: 5,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Time for all probes together.',
    usedBy: 'environments',
  }),
  PIP_PREFER_BINARY: boolean({
    default: true,
    meaning: 'Unused by the existing daemon as well; uv prefers wheels.',
    usedBy: '–',
    status: 'no-effect',
  }),
  PIP_VERBOSE: boolean({ default: true, meaning: 'Verbose output of the installer.', usedBy: 'environments' }),
  PIP_EXTRA_ARGS: text({
    default: '',
    meaning: 'Further arguments of the installer, separated by white space.',
    usedBy: 'environments',
  }),
  PLUGIN_IGNORE_UV_LOCK: boolean({
    default: false,
    meaning: 'Resolves dependencies anew although the plugin brings a `uv.lock`.',
    usedBy: 'environments',
  }),
  UV_CACHE_DIR: path({
    meaning:
      'Cache of uv. Default: `.uv-cache` below `PLUGIN_WORKING_PATH`. Files are linked or cloned from it only when it is on the same volume.',
    usedBy: 'environments',
  }),
  PLUGIN_SHARED_ENVIRONMENTS: boolean({
    default: true,
    meaning:
      'Plugins whose dependencies come to the same files share one environment, where isolation keeps plugins from writing to it. Off: each version gets one of its own, as with the existing daemon.',
    usedBy: 'environments',
    own: true,
  }),
  PLUGIN_SOURCE_HOSTS: list({
    default: [],
    meaning:
      'Hosts that a package may have asked when it is installed, beside the configured index: by URL or Git requirements and by indexes that it names. `*.example.org` stands for all below, `*` for every host, as in the existing daemon.',
    usedBy: 'environments',
    own: true,
  }),
  PLUGIN_SOURCE_BUILDS: choice<'auto' | 'allow' | 'refuse'>(
    { auto: 'auto', allow: 'allow', refuse: 'refuse' },
    {
      default: 'auto',
      meaning:
        'Whether a dependency without a wheel for this machine may be built from source, which runs code of that dependency during the installation. `auto`: unless the package index has credentials, which that code could read.',
      usedBy: 'environments',
      own: true,
    },
  ),
};
