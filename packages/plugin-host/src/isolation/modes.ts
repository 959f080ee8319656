/** The ways of holding a plugin in, from the strongest to none. */
import type { Cage } from '../launcher/index.ts';

export type IsolationSetting = 'auto' | 'uid' | 'namespace' | 'none';
export const isolationSettings: readonly IsolationSetting[] = ['auto', 'uid', 'namespace', 'none'];

/** `uid+namespace`: a user of its own and a view of its own. `unsupervised`: not even a shepherd, for want of the helper process. */
export type IsolationMode = 'uid+namespace' | 'uid' | 'namespace' | 'none' | 'unsupervised';

export interface ModeTraits {
  readonly ownUser: boolean;
  readonly namespaces: Cage['namespaces'];
  readonly meaning: string;
}

export const modes: Readonly<Record<IsolationMode, ModeTraits>> = {
  'uid+namespace': {
    ownUser: true,
    namespaces: 'privileged',
    meaning: 'a user of its own, and a view of its own of files and processes',
  },
  uid: { ownUser: true, namespaces: undefined, meaning: 'a user of its own' },
  namespace: {
    ownUser: false,
    namespaces: 'user',
    meaning: 'a user namespace with a view of its own of files and processes',
  },
  none: {
    ownUser: false,
    namespaces: undefined,
    meaning: "the daemon's own user: it can read and signal what the daemon can",
  },
  unsupervised: {
    ownUser: false,
    namespaces: undefined,
    meaning: "the daemon's own user, without limits: the helper process that sets them does not run",
  },
};

export const describeMode = (mode: IsolationMode): string => modes[mode].meaning;

/** Which modes are tried for a setting, best first. `none` is always possible where it is allowed. */
export function candidates(setting: IsolationSetting, isRoot: boolean): readonly IsolationMode[] {
  switch (setting) {
    case 'none':
      return ['none'];
    case 'uid':
      return ['uid+namespace', 'uid'];
    case 'namespace':
      return isRoot ? ['uid+namespace'] : ['namespace'];
    case 'auto':
      return isRoot ? ['uid+namespace', 'uid', 'none'] : ['namespace', 'none'];
  }
}
