/**
 * Order of Python versions (PEP 440), as far as releases of one project need it: epoch, release, pre-, post- and development
 * releases; local labels are ignored.
 */
interface Version {
  readonly epoch: number;
  readonly release: readonly number[];
  /** Phase and number: `dev` of nothing < `a` < `b` < `rc` < final < `post`. */
  readonly pre: readonly [number, number];
  readonly post: number;
  readonly dev: number;
}

const FORM =
  /^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|alpha|b|beta|c|rc|pre|preview)[-_.]?(\d*))?(?:(?:-(\d+))|(?:[-_.]?(post|rev|r)[-_.]?(\d*)))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9.]+)?\s*$/i;
const FINAL = 9;
const PHASES: Record<string, number> = { a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3, pre: 3, preview: 3 };

/** Negative when `a` comes before `b`, positive when after, 0 when equal; undefined when one of them is not a version. */
export function compareVersions(a: string, b: string): number | undefined {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return undefined;
  const length = Math.max(left.release.length, right.release.length);
  const keys = (version: Version) => [
    version.epoch,
    ...Array.from({ length }, (_, i) => version.release[i] ?? 0),
    ...version.pre,
    version.post,
    version.dev,
  ];
  const rightKeys = keys(right);
  for (const [i, key] of keys(left).entries()) {
    const other = rightKeys[i] ?? 0;
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

function parse(text: string): Version | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, epoch, release = '', phase, phaseNumber, dashPost, postWord, postNumber, devWord, devNumber] = match;
  const isPost = dashPost !== undefined || postWord !== undefined;
  const isDev = devWord !== undefined;
  const rank = phase === undefined ? (isDev && !isPost ? 0 : FINAL) : (PHASES[phase.toLowerCase()] ?? FINAL);
  return {
    epoch: Number(epoch ?? 0),
    release: release.split('.').map(Number),
    pre: [rank, Number(phaseNumber ?? 0)],
    post: isPost ? Number(dashPost ?? postNumber ?? 0) : -1,
    dev: isDev ? Number(devNumber ?? 0) : Number.POSITIVE_INFINITY,
  };
}
