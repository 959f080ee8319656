/** Agent messages: as tools', with files put together from their chunks (http-api §6.3, runtime-protocols §2.1). */
import { type SessionError, sessionError } from '../../errors/index.ts';
import { toLatin1 } from '../../runtimes/protocol/line-safety.ts';
import { type AnswerReader, type AnswerSpec, fromLatin1, parseJson, readChecked } from './answer.ts';
import { agentMessage } from './tool.ts';

const MAX_CHUNK_BYTES = 8192;
const MAX_HELD_BYTES = 15 * 1024 * 1024;

/** The texts are known to Dify's users; they travel as JSON because Dify parses them. */
const tooLarge = (what: string, limit: number): SessionError =>
  sessionError('ValueError', what, { limit_bytes: limit });

function reader(): AnswerReader {
  const files = new Map<string, { parts: Buffer[]; bytes: number }>();
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
    const file = files.get(id) ?? { parts: [], bytes: 0 };
    files.set(id, file);
    if (end) {
      // The content stays: a reused id goes on from it, as upstream does.
      return toLatin1(
        JSON.stringify({
          type: 'blob',
          message: { blob: Buffer.concat(file.parts).toString('base64') },
          meta: meta ?? null,
        }),
      );
    }
    if (file.bytes > MAX_HELD_BYTES) return tooLarge('file is too large', MAX_HELD_BYTES);
    if (!isBase64(blob)) return sessionError('ValueError', 'the data of a blob_chunk is not valid base64', {});
    const bytes = Buffer.from(blob, 'base64');
    if (bytes.length > MAX_CHUNK_BYTES) return tooLarge('single file chunk is too large', MAX_CHUNK_BYTES);
    file.parts.push(bytes);
    file.bytes += bytes.length;
    return '';
  }
}

export const agentMessages: AnswerSpec = { record: agentMessage, reader };

const isBase64 = (text: string): boolean =>
  text.replace(/[\r\n]/g, '').length % 4 === 0 && /^[A-Za-z0-9+/\r\n]*(?:={1,2}[\r\n]*)?$/.test(text);

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
