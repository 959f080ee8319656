/** What is in uploaded packages (docs/wire/http-api.md#lists-and-packages). */

import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isRemoteLike, isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { type AnyRoute, RawJson, route } from '../route.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { JsonWriter } from './json-writer.ts';
import { ByIdentifier, ReadmeRequest } from './records.ts';
import { schemas } from './schemas.ts';

const tag = 'Packages';
/** Dify versions have sent the identifier by different names (docs/wire/http-api.md#lists-and-packages). */
const queryAliases = { PluginUniqueIdentifier: 'plugin_unique_identifier' };

export function packageRoutes({ database, installation }: ManagementDependencies): readonly AnyRoute[] {
  const { reader, presented } = installation;
  const describe = async (identifier: string): Promise<RawJson> => {
    const { manifest, verification } = await reader.describe(identifier);
    return new JsonWriter().object({ unique_identifier: identifier, verification }, { manifest }).toRawJson();
  };
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/decode/from_identifier',
      operationId: 'decodePackage',
      tag,
      summary:
        'Decodes a stored package again: its declaration with the icon paths as written, and whom it is signed by.',
      request: ByIdentifier,
      queryAliases,
      data: schemas.described,
      handle: ({ input }) => describe(input.plugin_unique_identifier),
    }),
    route({
      method: 'GET',
      group: 'direct',
      path: '/extract',
      operationId: 'extractPackage',
      headers: { 'X-Plugin-Unique-Identifier': 'The stored package, `author/name:version@checksum`.' },
      tag,
      summary: 'The same as decode/from_identifier, for the package named in X-Plugin-Unique-Identifier.',
      data: schemas.described,
      errorStatus: 'kind',
      handle: async ({ request }) => {
        const identifier = request.headers['x-plugin-unique-identifier'];
        if (typeof identifier !== 'string' || identifier === '') {
          throw new DaemonError('bad-request', 'X-Plugin-Unique-Identifier header is required');
        }
        if (!isUniqueIdentifier(identifier)) {
          throw new DaemonError('identifier-invalid', `plugin_unique_identifier is not valid: ${identifier}`);
        }
        // Only the header's errors have a status of their own here.
        return describe(identifier).catch((error: unknown) => {
          const known = toDaemonError(error);
          throw new DaemonError(known.kind, known.message, { cause: error, status: 200 });
        });
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/fetch/manifest',
      operationId: 'getManifest',
      tag,
      summary: 'The stored declaration of an uploaded or connected plugin.',
      request: ByIdentifier,
      queryAliases,
      data: schemas.declaration,
      handle: async ({ input }) => {
        const identifier = input.plugin_unique_identifier;
        const runtimeType = isRemoteLike(identifier) ? 'remote' : 'local';
        const stored = await database.declarations.find(identifier, runtimeType);
        if (stored === undefined) throw new DaemonError('bad-request', 'plugin not found');
        return new RawJson(presented.of(stored).json);
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/fetch/identifier',
      operationId: 'pluginExists',
      tag,
      summary: 'Whether any tenant has this version installed.',
      request: ByIdentifier,
      queryAliases,
      data: { type: 'boolean' },
      handle: ({ input }) => database.plugins.exists(input.plugin_unique_identifier),
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/fetch/readme',
      operationId: 'getReadme',
      tag,
      summary: 'The readme of a package in a language, else in English, else in the first there is.',
      request: ReadmeRequest,
      queryAliases,
      data: schemas.readme,
      handle: ({ input }) => reader.readme(input.plugin_unique_identifier, input.language),
    }),
  ];
}
