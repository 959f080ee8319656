/** The permissions of a manifest that backwards invocations need. Absent blocks grant nothing. */
import type { ModelPermission, Permission } from '@plugin-daemon/plugin-package';

/** What a manifest must ask for. */
export interface Right {
  /** The word in the denial. */
  readonly word: string;
  readonly granted: (permission: Permission | undefined) => boolean;
}

const switchable = (name: 'tool' | 'node' | 'app' | 'storage'): Right => ({
  word: name,
  granted: (permission) => permission?.[name]?.enabled === true,
});

const model = (name: Exclude<keyof ModelPermission, 'enabled'>, word: string = name): Right => ({
  word,
  granted: (permission: Permission | undefined) =>
    permission?.model?.enabled === true && permission.model[name] === true,
});

export const rights = {
  tool: switchable('tool'),
  node: switchable('node'),
  app: switchable('app'),
  storage: switchable('storage'),
  llm: model('llm'),
  textEmbedding: model('text_embedding', 'text-embedding'),
  rerank: model('rerank'),
  tts: model('tts'),
  speech2text: model('speech2text'),
  moderation: model('moderation'),
} satisfies Record<string, Right>;
