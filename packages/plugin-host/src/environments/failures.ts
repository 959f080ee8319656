/**
 * Why an environment could not be made, as data: how a failure is recognised, what it means and what to do about it.
 * The first row that matches wins, so narrow rows stand above wide ones.
 */
import { DaemonError } from '../errors/index.ts';
import { withoutIgnored } from '../python-output.ts';

export type EnvironmentFailure = (typeof FAILURES)[number]['kind'];

interface FailureRow {
  readonly kind: string;
  /** Matches the installer's output; absent for kinds that only our own code reports. */
  readonly pattern?: RegExp;
  readonly cause: string;
  readonly remedy: string;
}

export const FAILURES = [
  {
    kind: 'disk-full',
    pattern: /no space left on device|os error 28\b|ENOSPC|disk quota exceeded|os error 122\b|EDQUOT/i,
    cause: 'the disk is full, or its quota is used up',
    remedy:
      'Free space below PLUGIN_WORKING_PATH (its .uv-cache can be deleted at any time, uninstalled plugins can be collected) and install again.',
  },
  {
    kind: 'too-many-files',
    pattern: /too many open files|os error 2[34]\b|EMFILE|ENFILE/i,
    cause: 'there are too many open files, and no more may be opened',
    remedy:
      'Let the daemon open more files (ulimit -n, LimitNOFILE of its service, --ulimit nofile of its container; 4096 is plenty) and install again.',
  },
  {
    kind: 'build-failed',
    pattern:
      /build backend returned an error|failed to build|could not build wheels|error: metadata-generation-failed/i,
    cause: 'a dependency has to be compiled here and its build failed',
    remedy:
      'Install a compiler and the libraries its build log asks for (Debian: build-essential python3-dev), or use a plugin version whose dependencies come as wheels.',
  },
  {
    kind: 'git-dependency',
    pattern: /git operation failed|git executable not found|failed to clone into/i,
    cause: 'a dependency comes from a Git repository that could not be fetched',
    remedy:
      'Check that git is installed and that the host named above can be reached from here (HTTPS_PROXY holds for git too); a plugin version whose dependencies come from the package index needs neither.',
  },
  {
    kind: 'permission',
    pattern:
      /permission denied|os error 13\b|read-only file system|os error 30\b|EACCES|EROFS|operation not permitted/i,
    cause: 'the system refused access to a file or a system call',
    remedy:
      'Make PLUGIN_WORKING_PATH writable for the daemon’s user, and check that the container’s security profile allows threads and hard links.',
  },
  {
    kind: 'hash-mismatch',
    pattern: /hash mismatch|mismatched hash|does not match the (?:expected )?hash|no hashes? (?:was|were) provided/i,
    cause: 'a downloaded file is not the one the lock file or the requirements name',
    remedy:
      'A proxy or mirror may serve altered files: try without PIP_MIRROR_URL. If the mirror is right, set PLUGIN_IGNORE_UV_LOCK=true or have the plugin locked anew.',
  },
  {
    kind: 'tls',
    pattern:
      /invalid peer certificate|certificate verify failed|UnknownIssuer|self[- ]signed certificate|unable to get local issuer|CertificateRequired|invalid certificate|tls handshake|received corrupt message of type/i,
    cause: 'the certificate of the package index, or of a proxy in between, is not trusted',
    remedy:
      'Set SSL_CERT_FILE to a PEM bundle that holds the certificate authority of your network; it is passed on to uv and to plugins. An index that speaks plain HTTP needs a URL with http://.',
  },
  {
    kind: 'proxy',
    pattern:
      /proxy authentication required|\b407\b|tunnel error|proxyconnect|proxy connect|unsuccessful tunnel|socks (?:error|connect)|proxy authorization required|proxy response/i,
    cause: 'the proxy refused the connection or cannot be reached',
    remedy:
      'Check HTTP_PROXY and HTTPS_PROXY (with user and password if it asks for them), and list hosts reached directly in NO_PROXY.',
  },
  {
    kind: 'index-refused',
    pattern: /401 unauthorized|403 forbidden|status client error \((?:401|403)|missing credentials/i,
    cause: 'the package index refused access',
    remedy:
      'Put credentials into PIP_MIRROR_URL, or name the index in UV_DEFAULT_INDEX (nexus=https://…) and set UV_INDEX_NEXUS_USERNAME and UV_INDEX_NEXUS_PASSWORD.',
  },
  {
    kind: 'index-error',
    pattern: /status server error|status client error|unsupported `content-type`/i,
    cause: 'the package index answers with an error',
    remedy:
      'Check that PIP_MIRROR_URL or UV_DEFAULT_INDEX is the address of a simple index (it often ends in /simple), and try again later if it is.',
  },
  {
    kind: 'build-refused',
    pattern: /building from source is disabled/i,
    cause: 'a dependency has no build for this machine, and it may not be built from source here',
    remedy:
      'Set PLUGIN_SOURCE_BUILDS=allow if this plugin may run the build code of its dependencies here, or use a plugin version whose dependencies come as wheels.',
  },
  {
    kind: 'python-conflict',
    pattern:
      /incompatible with the project's Python requirement|does not satisfy Python[<>=~!]|the current Python version \([^)]{1,40}\) does not satisfy|has no wheels with a matching Python|no wheels with a matching Python/i,
    cause: 'the dependencies ask for another Python than there is here',
    remedy:
      'Install the Python version named above (for instance as python3.13 on PATH, or name it in PYTHON_INTERPRETER_PATH), or let uv fetch it: set UV_PYTHON_INSTALL_MIRROR to a reachable copy of its Python builds.',
  },
  {
    kind: 'wrong-python',
    pattern:
      /no interpreter found|Python interpreter (?:not found|could not be)|failed to (?:query|inspect) Python interpreter/i,
    cause: 'no Python of the version this plugin asks for is on this machine, and none could be fetched',
    remedy:
      'Install Python 3.12 (for instance as python3.12 on PATH, or name it in PYTHON_INTERPRETER_PATH), or let uv fetch it: set UV_PYTHON_INSTALL_MIRROR to a reachable copy of its Python builds.',
  },
  {
    kind: 'no-matching-wheel',
    pattern:
      /has no wheels with a matching|no compatible (?:wheel|tag)|doesn't have a source distribution or wheel for the current platform|only has wheels (?:for|with)|no (?:usable wheels|wheels are available|source distribution)/i,
    cause: 'a dependency has no build for this operating system, processor or Python version',
    remedy:
      'Use a glibc-based image on x86_64 or aarch64 with Python 3.12; a newer version of the plugin may name a dependency that has a build.',
  },
  {
    kind: 'index-unreachable',
    pattern:
      /failed to (?:fetch|download)|error sending request|dns error|failed to lookup address|connection (?:refused|reset|timed out)|network (?:is )?unreachable|timed? ?out|temporary failure in name resolution|client error \(connect\)|packages were unavailable because the network was disabled|could not connect/i,
    cause: 'the package index cannot be reached',
    remedy:
      'Check the network and HTTPS_PROXY; set PIP_MIRROR_URL to an index that can be reached, or install a package that carries its wheels.',
  },
  {
    kind: 'bad-lock',
    pattern: /failed to parse `?uv\.lock|lockfile at|unsupported schema version|unable to find lockfile/i,
    cause: 'the plugin’s uv.lock cannot be used',
    remedy:
      'Set PLUGIN_IGNORE_UV_LOCK=true to resolve the dependencies anew, or have the plugin locked again by its author; an old uv does not know newer lock files.',
  },
  {
    kind: 'bad-requirement',
    pattern:
      /no solution found|requirements are unsatisfiable|unsatisfiable|couldn't parse requirement|failed to parse|expected (?:one of|version|package name)|start of a requirement|was not found in the (?:package registry|provided package locations)|invalid (?:requirement|version)|is invalid: |toml parse error|unexpected argument|unrecognized (?:subcommand|argument)/i,
    cause:
      'the plugin’s dependency file, or PIP_EXTRA_ARGS, asks for something that does not exist or contradicts itself',
    remedy:
      'Read the lines above: they name the requirement. The plugin’s author has to correct it; PIP_EXTRA_ARGS is yours.',
  },
  {
    kind: 'index-wrong',
    cause: 'what is configured as package index is none: it does not even have the plugin SDK',
    remedy:
      'Correct PIP_MIRROR_URL (or UV_DEFAULT_INDEX): it has to be the address of a simple index, which often ends in /simple. The plugin is not at fault.',
  },
  {
    kind: 'foreign-source',
    cause: 'the plugin has dependencies fetched from hosts of its own choice, which packages may not ask here',
    remedy:
      'If you trust the hosts named above, add them to PLUGIN_SOURCE_HOSTS (separated by commas) and install again.',
  },
  {
    kind: 'own-build',
    cause:
      'a dependency is a folder or file of the package itself that would be built, and nothing of a package runs before its process is started',
    remedy: 'The plugin’s author has to put the modules beside main.py, or carry them as a wheel and name its path.',
  },
  {
    kind: 'unreadable-dependencies',
    cause: 'the package names its dependencies in a form that only its own tools read',
    remedy:
      'The plugin’s author has to list them under [project] dependencies in pyproject.toml (with uv.lock), or in a requirements.txt.',
  },
  {
    kind: 'sdk-missing',
    cause: 'the plugin starts with the SDK (dify_plugin), which its dependency file does not bring',
    remedy: 'The plugin’s author has to add dify_plugin to the dependencies in the file named above.',
  },
  {
    kind: 'output',
    cause: 'the installer wrote without end and was ended',
    remedy:
      'Read the beginning of the full log: a build of a dependency writes too much. PIP_VERBOSE=false makes uv itself quiet.',
  },
  {
    kind: 'timeout',
    cause: 'the installation took longer than its limit of 10 minutes',
    remedy: 'Install again: what has been downloaded is kept. A nearer index (PIP_MIRROR_URL) helps most.',
  },
  {
    kind: 'inactivity',
    cause: 'the installer has been silent for too long',
    remedy:
      'Raise PYTHON_ENV_INIT_TIMEOUT if a dependency takes long to compile; otherwise check the network to the package index.',
  },
  {
    kind: 'unsupported-language',
    cause: 'only plugins in Python can run here',
    remedy: 'Ask the plugin’s author for a Python version.',
  },
  {
    kind: 'no-dependency-file',
    cause: 'the package names its dependencies nowhere',
    remedy: 'The plugin’s author has to add a pyproject.toml (with uv.lock) or a requirements.txt.',
  },
  {
    kind: 'uv-missing',
    cause: 'uv, which makes Python environments, is not on this machine and could not be fetched',
    remedy:
      'Install uv and put it on PATH or name it in UV_PATH; or set UV_DEFAULT_INDEX to a package index that can be reached.',
  },
  {
    kind: 'package-unreadable',
    cause: 'the package cannot be unpacked',
    remedy: 'See that the object store gives back what was put into it, or upload the package again.',
  },
  {
    kind: 'locked',
    cause: 'another process is building this environment',
    remedy: 'Wait for it to end. If no other daemon uses this PLUGIN_WORKING_PATH, delete the lock file named above.',
  },
  {
    kind: 'unknown',
    cause: 'the installer failed for a reason that is not among the known ones',
    remedy: 'The full log says more.',
  },
] as const satisfies readonly FailureRow[];

/** The kind of a failed command, from what it wrote. */
export function classifyFailure(output: string): EnvironmentFailure {
  const rows: readonly FailureRow[] = FAILURES;
  const row = rows.find((candidate) => candidate.pattern?.test(output));
  return FAILURES.find(({ kind }) => kind === row?.kind)?.kind ?? 'unknown';
}

/** An install task keeps 1,024 bytes of a message and cuts its middle out: what is longer is shortened here, where cause and remedy are known. */
const MESSAGE_BYTES = 1000;
/** Whatever else has to be said, this much of the installer's words stays. */
const LEAST_EXPLANATION = 240;

export interface EnvironmentErrorOptions {
  /** What the installer wrote; shortened so that cause and remedy stay readable wherever the message goes. */
  readonly output?: string;
  readonly logFile?: string;
  readonly cause?: unknown;
}

/** Says what failed, why, what to do, and where the whole log is. `failure` is for tests, metrics and retry decisions. */
export class EnvironmentError extends DaemonError {
  readonly failure: EnvironmentFailure;
  readonly logFile: string | undefined;

  /** @param message upstream's text for this step, without the trailing `failed to init environment`. */
  constructor(failure: EnvironmentFailure, message: string, options: EnvironmentErrorOptions = {}) {
    const row = FAILURES.find(({ kind }) => kind === failure);
    const log = options.logFile === undefined ? '' : ` (full log: ${options.logFile})`;
    const frame = (text: string) => `${text}\n${row?.cause ?? failure}${log}\nfailed to init environment`;
    const room = MESSAGE_BYTES - Buffer.byteLength(`${frame(message)}. ${row?.remedy ?? ''}failed to launch plugin: `);
    const output = shortened(options.output ?? '', Math.max(room, LEAST_EXPLANATION));
    super('internal', frame(message + output), {
      ...(row === undefined ? {} : { remedy: row.remedy }),
      ...('cause' in options ? { cause: options.cause } : {}),
      args: { failure, ...(options.logFile === undefined ? {} : { log_file: options.logFile }) },
    });
    this.failure = failure;
    this.logFile = options.logFile;
  }
}

/** The first line, which says what failed, and the last ones, which say why. */
function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = text.indexOf('\n');
  const head = text.slice(0, Math.min(end === -1 ? text.length : end, Math.floor(room / 2)));
  return `${head}\n…${text.slice(text.length - (room - head.length - 2))}`;
}

/** The part of the installer's output that explains, from its first error on and without the chatter, at most this many characters. */
const EXPLANATION_CHARACTERS = 4000;
const CHATTER = /^\s{0,9}(?:TRACE|DEBUG|INFO)\b|^ [+~-] |^(?:Downloading|Prepared|Resolved|Using|Creating) /;

export function explainOutput(stderr: string): string {
  const lines = withoutIgnored(stderr.split('\n'));
  // Verbose lines have continuations of their own; what uv says at the end begins with one of these.
  const first = lines.findIndex((line) => line.startsWith('error:') || line.trimStart().startsWith('× '));
  const telling = lines.slice(Math.max(first, 0)).filter((line) => line.trim() !== '' && !CHATTER.test(line));
  const text = (telling.length === 0 ? stderr : telling.join('\n')).trim();
  return text.length <= EXPLANATION_CHARACTERS ? text : `…${text.slice(-EXPLANATION_CHARACTERS)}`;
}
