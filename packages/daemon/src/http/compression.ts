import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { negotiate } from '@fastify/accept-negotiator';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Below, the head of the answer weighs more than what is saved. */
const THRESHOLD_BYTES = 1024;

const encoders = {
  gzip: (body: string | Buffer) => promisify(gzip)(body),
  // Lists are large and repetitive; the default quality of brotli is far too slow for them.
  br: (body: string | Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
};
/** Dify's client offers brotli always, and reads it only where another package happens to be: gzip comes first. */
const ENCODINGS: (keyof typeof encoders)[] = ['gzip', 'br'];

/**
 * Hook that compresses large answers, on zlib's own threads, for clients that take it. Of `@fastify/compress` only this little would be used: loading it,
 * with its table of all media types and its streams, was a tenth of the daemon's start.
 */
export async function compressAnswer(request: FastifyRequest, reply: FastifyReply, body: unknown): Promise<unknown> {
  if ((typeof body !== 'string' && !Buffer.isBuffer(body)) || body.length < THRESHOLD_BYTES) return body;
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined || reply.hasHeader('content-encoding')) return body;
  const encoding = negotiate(String(accepted).toLowerCase().replaceAll('x-gzip', 'gzip'), ENCODINGS);
  if (encoding === null) return body;
  const compressed = await encoders[encoding](body);
  reply.header('vary', 'accept-encoding').header('content-encoding', encoding);
  reply.header('content-length', compressed.length);
  return compressed;
}
