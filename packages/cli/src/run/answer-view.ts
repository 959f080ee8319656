/** The answer of a call as a person wants to read it: texts as they stream, the rest as JSON, files into a folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '@plugin-daemon/values';
import { writeFileAtomic } from '../files/atomic.ts';
import type { Io } from '../output/io.ts';

interface Blob {
  parts: Buffer[];
  meta: unknown;
}

export class AnswerView {
  readonly #io: Io;
  readonly #outDir: string | undefined;
  readonly #blobs = new Map<string, Blob>();
  readonly #audio: Buffer[] = [];
  readonly files: string[] = [];
  #midLine = false;

  constructor(io: Io, outDir: string | undefined) {
    this.#io = io;
    this.#outDir = outDir;
  }

  async #text(text: string): Promise<void> {
    if (text === '') return;
    this.#midLine = !text.endsWith('\n');
    await this.#io.print(text);
  }

  async #line(text: string): Promise<void> {
    await this.#io.print(`${this.#midLine ? '\n' : ''}${text}\n`);
    this.#midLine = false;
  }

  async #file(name: string, bytes: Buffer): Promise<void> {
    if (this.#outDir === undefined) {
      await this.#line(`(a file of ${bytes.length} bytes; --out-dir keeps it)`);
      return;
    }
    await mkdir(this.#outDir, { recursive: true });
    const path = join(this.#outDir, name.replaceAll(/[\\/]/g, '_') || 'file');
    await writeFileAtomic(path, bytes);
    this.files.push(path);
    await this.#line(`(${bytes.length} bytes written to ${path})`);
  }

  /** One item of the stream. */
  async show(type: string, item: unknown): Promise<void> {
    if (!isObject(item)) return this.#line(JSON.stringify(item));
    if (type === 'model') return this.#model(item);
    if (type === 'endpoint') return this.#endpoint(item);
    // The answer a trigger gives to its webhook is an HTTP response in hex.
    if (type === 'trigger' && typeof item.response === 'string') {
      return this.#line(
        JSON.stringify({ ...item, response: Buffer.from(item.response, 'hex').toString('utf8') }, null, 2),
      );
    }
    if (typeof item.type === 'string' && isObject(item.message))
      return this.#message(item.type, item.message, item.meta);
    await this.#line(JSON.stringify(item, null, 2));
  }

  async #message(type: string, message: Record<string, unknown>, meta: unknown): Promise<void> {
    switch (type) {
      case 'text':
        return this.#text(String(message.text ?? ''));
      case 'link':
      case 'image':
      case 'image_link':
      case 'binary_link':
        return this.#line(String(message.text ?? ''));
      case 'json':
        return this.#line(JSON.stringify(message.json_object, null, 2));
      case 'variable':
        return message.stream === true
          ? this.#text(String(message.variable_value ?? ''))
          : this.#line(`${String(message.variable_name)} = ${JSON.stringify(message.variable_value)}`);
      case 'log':
        return this.#line(
          this.#io.colors.dim(`[${String(message.status)}] ${String(message.label)} ${JSON.stringify(message.data)}`),
        );
      case 'blob_chunk':
        return this.#chunk(message, meta);
      case 'blob':
        return this.#file(nameOf(meta, 'file'), Buffer.from(String(message.blob ?? ''), 'base64'));
      default:
        return this.#line(JSON.stringify({ type, message }, null, 2));
    }
  }

  async #chunk(message: Record<string, unknown>, meta: unknown): Promise<void> {
    const id = String(message.id);
    const blob = this.#blobs.get(id) ?? { parts: [], meta };
    this.#blobs.set(id, blob);
    if (message.end !== true) {
      blob.parts.push(Buffer.from(String(message.blob ?? ''), 'base64'));
      return;
    }
    this.#blobs.delete(id);
    await this.#file(nameOf(meta ?? blob.meta, id), Buffer.concat(blob.parts));
  }

  async #model(item: Record<string, unknown>): Promise<void> {
    if (isObject(item.delta) && isObject(item.delta.message)) {
      const { content, tool_calls: calls } = item.delta.message;
      if (typeof content === 'string') await this.#text(content);
      else if (content !== null && content !== undefined) await this.#line(JSON.stringify(content));
      if (Array.isArray(calls)) for (const call of calls) await this.#line(`tool call: ${JSON.stringify(call)}`);
      if (isObject(item.delta.usage))
        await this.#line(
          this.#io.colors.dim(
            `${String(item.delta.usage.prompt_tokens)} + ${String(item.delta.usage.completion_tokens)} tokens`,
          ),
        );
      return;
    }
    if (typeof item.result === 'string' && /^(?:[0-9a-f]{2})+$/i.test(item.result) && item.result.length > 32) {
      this.#audio.push(Buffer.from(item.result, 'hex'));
      return;
    }
    await this.#line(JSON.stringify(item, shorten, 2));
  }

  async #endpoint(item: Record<string, unknown>): Promise<void> {
    if (item.status !== undefined) {
      await this.#line(`HTTP ${String(item.status)}`);
      if (isObject(item.headers))
        for (const [name, value] of Object.entries(item.headers)) await this.#line(`${name}: ${String(value)}`);
      await this.#line('');
    }
    if (typeof item.result === 'string') await this.#text(Buffer.from(item.result, 'hex').toString('utf8'));
  }

  async end(): Promise<void> {
    if (this.#audio.length > 0) await this.#file('audio', Buffer.concat(this.#audio));
    if (this.#midLine) await this.#io.print('\n');
  }
}

function nameOf(meta: unknown, fallback: string): string {
  if (!isObject(meta)) return fallback;
  const name = meta.filename ?? meta.file_name;
  return typeof name === 'string' && name !== '' ? name : fallback;
}

/** Vectors and long texts are cut: nobody reads a thousand numbers. */
function shorten(_key: string, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 16 && value.every((each) => typeof each === 'number'))
    return [...value.slice(0, 8), `… ${value.length} numbers`];
  return value;
}
