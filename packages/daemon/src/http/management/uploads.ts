/** Uploads of packages and bundles (docs/wire/http-api.md#uploads). */
import type { AcceptedPackage } from '../../installation/index.ts';
import { JSON_TYPE, successBody } from '../envelope.ts';
import { expectedBytes, readUpload, type Upload, type UploadLimits } from '../multipart-upload.ts';
import { drainRefused } from '../raw-body.ts';
import { type AnyRoute, type Call, type RawJson, route } from '../route.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { JsonWriter } from './json-writer.ts';
import { schemas } from './schemas.ts';

const tag = 'Packages';

export function uploadRoutes(dependencies: ManagementDependencies): readonly AnyRoute[] {
  const { intake } = dependencies.installation;
  const options = (upload: Upload, signal: AbortSignal) => ({
    verifySignature: upload.fields.get('verify_signature') === 'true',
    signal,
  });
  return [
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/upload/package',
      operationId: 'uploadPackage',
      tag,
      summary: 'Uploads a package (.difypkg): it is checked and stored, not installed.',
      data: schemas.described,
      multipart: { dify_pkg: 'The package.', verify_signature: '`true` refuses a package without a valid signature.' },
      handleRaw: (call, reply) =>
        receive(
          dependencies,
          call,
          { field: 'dify_pkg', maxFileBytes: dependencies.maxPackageBytes },
          async (upload) => {
            const accepted = await intake.upload(upload.bytes, options(upload, call.signal));
            send(reply.raw, writePackage(new JsonWriter(), accepted, true).toRawJson());
          },
        ),
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/upload/bundle',
      operationId: 'uploadBundle',
      tag,
      summary: 'Uploads a bundle (.difybndl): its packages are checked and stored, its other dependencies reported.',
      data: schemas.bundle,
      multipart: { dify_bundle: 'The bundle.', verify_signature: '`true` refuses packages without a valid signature.' },
      handleRaw: (call, reply) =>
        receive(
          dependencies,
          call,
          { field: 'dify_bundle', maxFileBytes: dependencies.maxBundleBytes },
          async (upload) => {
            const dependencyList = await intake.uploadBundle(upload.bytes, options(upload, call.signal));
            const json = new JsonWriter();
            json.array(dependencyList, (each) => {
              if (each.type !== 'package') json.add(JSON.stringify(each));
              else writePackage(json.add('{"type":"package","value":'), each.accepted, false).add('}');
            });
            send(reply.raw, json.toRawJson());
          },
        ),
    }),
  ];
}

/** Reads the upload within its limits and the daemon's memory, then hands it on. */
async function receive(
  dependencies: ManagementDependencies,
  call: Call<unknown>,
  limits: UploadLimits,
  use: (upload: Upload) => Promise<void>,
): Promise<void> {
  const request = call.request.raw;
  let release = (): void => undefined;
  try {
    release = await dependencies.installation.uploadBudget.acquire(expectedBytes(request, limits), call.signal);
    await use(await readUpload(request, limits, call.signal));
  } catch (error) {
    if (call.signal.aborted) dependencies.log.info({ field: limits.field }, 'upload broken off by the client');
    else throw error;
  } finally {
    release();
    drainRefused(request);
  }
}

function writePackage(json: JsonWriter, accepted: AcceptedPackage, withVerification: boolean): JsonWriter {
  const { identifier, manifest, verification } = accepted;
  return json.object({ unique_identifier: identifier, ...(withVerification && { verification }) }, { manifest });
}

function send(response: import('node:http').ServerResponse, data: RawJson): void {
  const body = successBody(data);
  response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
