/** The permission screen, shared by `plugin init` and `plugin permission`. */
import { type Answer, askMany, askText, BACK, type Choice } from './prompts.ts';
import {
  checkStorageSize,
  DEFAULT_STORAGE,
  MODEL_KINDS,
  type ModelKind,
  NO_MODELS,
  type Permissions,
  parseSize,
} from './rules.ts';

type Row = 'tool' | 'app' | 'node' | 'endpoint' | 'storage' | `model.${ModelKind}`;

const CHOICES: readonly Choice<Row>[] = [
  { value: 'tool', label: 'Tools', hint: 'call other tools' },
  { value: 'model.llm', label: 'Models: LLM', hint: 'chat and completion' },
  { value: 'model.text_embedding', label: 'Models: text embedding' },
  { value: 'model.rerank', label: 'Models: rerank' },
  { value: 'model.tts', label: 'Models: text to speech' },
  { value: 'model.speech2text', label: 'Models: speech to text' },
  { value: 'model.moderation', label: 'Models: moderation' },
  { value: 'app', label: 'Apps', hint: 'call apps of the workspace' },
  { value: 'node', label: 'Workflow nodes', hint: 'parameter extractor, question classifier' },
  { value: 'storage', label: 'Storage', hint: 'keep data between calls' },
  { value: 'endpoint', label: 'Endpoints', hint: 'offer HTTP addresses' },
];

function rowsOf(permissions: Permissions): Row[] {
  const rows: Row[] = [];
  if (permissions.tool) rows.push('tool');
  for (const kind of MODEL_KINDS) if (permissions.model?.[kind] === true) rows.push(`model.${kind}`);
  if (permissions.app) rows.push('app');
  if (permissions.node) rows.push('node');
  if (permissions.storage !== null) rows.push('storage');
  if (permissions.endpoint) rows.push('endpoint');
  return rows;
}

export function permissionsOf(rows: readonly string[], storage: number | null): Permissions {
  const model = { ...NO_MODELS };
  for (const kind of MODEL_KINDS) model[kind] = rows.includes(`model.${kind}`);
  return {
    tool: rows.includes('tool'),
    model: Object.values(model).includes(true) ? model : null,
    node: rows.includes('node'),
    endpoint: rows.includes('endpoint'),
    app: rows.includes('app'),
    storage: rows.includes('storage') ? (storage ?? DEFAULT_STORAGE) : null,
  };
}

/** Asks for permissions, then for the size of the storage when it is on. */
export async function askPermissions(current: Permissions): Promise<Answer<Permissions>> {
  for (let shown = current; ; ) {
    const rows = await askMany('What may the plugin do? (space selects)', CHOICES, rowsOf(shown));
    if (rows === BACK) return BACK;
    const chosen = permissionsOf(rows, shown.storage);
    if (chosen.storage === null) return chosen;
    const size = await askText({
      message: 'How much may it store? (bytes, or 512KB, 2MB, 1GB)',
      initial: String(chosen.storage),
      check: (text) => {
        const bytes = parseSize(text);
        return bytes === undefined
          ? 'expected a number of bytes, or a size such as 512KB or 2MB'
          : checkStorageSize(bytes);
      },
    });
    if (size !== BACK) return { ...chosen, storage: parseSize(size) ?? chosen.storage };
    shown = chosen;
  }
}
