/**
 * Agent messages: as tools', with files put together from their chunks (docs/wire/http-api.md#tools-and-agents,
 * docs/wire/runtime-protocol.md#tool-messages).
 */
import { type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import { toLatin1 } from '@plugin-daemon/plugin-host/text';
import { type AnswerReader, type AnswerSpec, fromLatin1, type KeptBytes, parseJson, readChecked } from './answer.ts';
import { agentMessage } from './tool.ts';

const MAX_CHUNK_BYTES = 8192;
const MAX_HELD_BYTES = 15 * 1024 * 1024;
/** What a file costs besides its bytes, so that empty ones are not for nothing. */
const FILE_COST_BYTES = 1024;
const MAX_ID_LENGTH = 256;

/** The texts are known to Dify's users; they travel as JSON because Dify parses them (docs/wire/http-api.md#plugin-errors). */
const tooLarge = (what: string, limit: number): SessionError =>
  sessionError('ValueError', what, { limit_bytes: limit });

/** The content of a file so far, in one piece of memory that grows by doubling: thousands of chunks of one byte cost what they hold. */
class HeldFile {
  #memory = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** How much more memory these bytes need. */
  growthFor(bytes: number): number {
    const needed = this.#length + bytes;
    if (needed <= this.#memory.length) return 0;
    return Math.max(needed, 2 * this.#memory.length, MAX_CHUNK_BYTES) - this.#memory.length;
  }

  /** @param growth what `growthFor` said */
  add(bytes: Buffer, growth: number): void {
    if (growth > 0) {
      const larger = Buffer.allocUnsafeSlow(this.#memory.length + growth);
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    bytes.copy(this.#memory, this.#length);
    this.#length += bytes.length;
  }

  toBase64(): string {
    return this.#memory.toString('base64', 0, this.#length);
  }
}

function reader(kept?: KeptBytes): AnswerReader {
  const files = new Map<string, HeldFile>();
  return (json) => {
    const text = readChecked(agentMessage, json, { typeName: 'agent_entities.AgentStrategyResponseChunk' });
    if (typeof text !== 'string' || !text.includes('blob_chunk')) return text;
    const parsed = parseJson(fromLatin1(text));
    const value = asObject(parsed?.value);
    return value.type === 'blob_chunk' ? addChunk(asObject(value.message), value.meta) : text;
  };

  function addChunk(message: Record<string, unknown>, meta: unknown): string | SessionError {
    const { id, total_length: total, blob, end } = message;
    if (typeof id !== 'string' || typeof total !== 'number' || typeof blob !== 'string' || typeof end !== 'boolean')
      return '';
    if (id.length > MAX_ID_LENGTH) return tooLarge('the id of a file is too long', MAX_ID_LENGTH);
    const known = files.get(id);
    const file = known ?? new HeldFile();
    if (end) {
      // The content stays: a reused id goes on from it, as upstream does.
      const whole = { type: 'blob', message: { blob: file.toBase64() }, meta: meta ?? null };
      return toLatin1(JSON.stringify(whole));
    }
    if (file.length > MAX_HELD_BYTES) return tooLarge('file is too large', MAX_HELD_BYTES);
    if (blob.length > 4 * MAX_CHUNK_BYTES) return tooLarge('single file chunk is too large', MAX_CHUNK_BYTES);
    if (!isBase64(blob)) return sessionError('ValueError', 'the data of a blob_chunk is not valid base64', {});
    const bytes = Buffer.from(blob, 'base64');
    if (bytes.length > MAX_CHUNK_BYTES) return tooLarge('single file chunk is too large', MAX_CHUNK_BYTES);
    const growth = file.growthFor(bytes.length);
    const exceeded = kept?.grow(growth + (known === undefined ? FILE_COST_BYTES : 0));
    if (exceeded !== undefined) {
      return sessionError('ValueError', `files of this answer cannot be kept: ${exceeded.text}`, {
        limit_bytes: exceeded.limitBytes,
      });
    }
    files.set(id, file);
    file.add(bytes, growth);
    return '';
  }
}

export const agentMessages: AnswerSpec = { record: agentMessage, reader };

/** Line ends anywhere do no harm. */
function isBase64(text: string): boolean {
  const digits = text.replace(/[\r\n]/g, '');
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
