import type { JsonSchema } from '@plugin-daemon/wire-schema';
import { VERSION } from '../../version.ts';
import type { AnyRoute, RouteGroup } from '../route.ts';
import { Components } from './components.ts';
import { errorEnvelope, errorStatuses, pluginError } from './errors.ts';
import { type Operation, operationOf } from './operation.ts';

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, JsonSchema>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

const overview = `Everything Dify asks of the daemon, for every program that wants to run Dify plugins.

A tenant uploads a package, installs it and then invokes the plugin by its id. Answers of plugins are streams of server-sent events; everything else is JSON.

Every JSON answer and every event is an envelope: \`code\` 0 and \`data\`, or a negative \`code\` and a \`message\`, which is JSON text (ErrorEnvelope). Errors of authentication and of the request have an HTTP status of their own; errors of management routes come with status 200, so look at \`code\`. An unknown path is answered with status 404 and \`{"code":"not_found","message":"route not found"}\`.`;

/** In the order of the page. */
const tags: Readonly<Record<string, string>> = {
  Packages: 'Uploading packages and bundles, and looking into them.',
  Installation: 'Installing, upgrading and uninstalling plugins of a tenant.',
  'Install tasks': 'What became of an installation that takes time.',
  'Installed plugins': 'What a tenant has installed.',
  Providers: 'The tools, models, agent strategies, datasources and triggers of installed plugins.',
  Dispatch: 'Calling an installed plugin. The events of the answer carry what the plugin says, one message each.',
  'Direct invocation': 'Calling a plugin by its unique identifier, without an installation of the tenant.',
  Endpoints: 'Webhooks that plugins answer: setting them up.',
  Functions: 'Calls of plugins that run as functions back into the daemon; with the serverless platform alone.',
  Webhooks: 'The webhooks themselves, for their callers. Requests and answers are passed on as they are.',
  Debugging: 'Keys for plugins that run on their author’s machine.',
  Assets: 'Icons and files of packages.',
  Admin: 'For operators, with a key of their own.',
  Health: 'For monitoring.',
  Description: 'This description.',
};

const prefixes: Readonly<Record<RouteGroup, string>> = {
  plugin: '/plugin/{tenant_id}',
  direct: '/v2/invoke',
  admin: '/admin',
  details: '',
  probe: '',
  public: '',
};

/** The path of a route as the document writes it. */
export const pathOf = ({ group, path, rest }: AnyRoute): string =>
  prefixes[group] + path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, `{${rest ?? 'rest'}}`);

/** Describes the routes. @throws Error when a route has no name, two have one, or two schemas have one title */
export function openApiDocument(routes: readonly AnyRoute[]): OpenApiDocument {
  const components = new Components();
  components.refer(errorEnvelope);
  components.refer(pluginError);
  const paths: Record<string, Record<string, Operation>> = {};
  const names = new Set<string>();
  const used = new Set<string>();
  for (const route of routes) {
    const path = pathOf(route);
    const operation = operationOf(route, path, components);
    if (names.has(operation.operationId)) throw new Error(`two operations are called ${operation.operationId}`);
    names.add(operation.operationId);
    used.add(route.tag);
    const methods = paths[path] ?? {};
    paths[path] = methods;
    methods[route.method.toLowerCase()] = operation;
  }
  const unknown = [...used].find((tag) => tags[tag] === undefined);
  if (unknown !== undefined) throw new Error(`the tag ${unknown} is not described`);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Plugin daemon',
      version: VERSION,
      description: overview,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        serverKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'SERVER_KEY of the daemon.' },
        adminKey: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Admin-Api-Key',
          description: 'ADMIN_API_KEY of the daemon.',
        },
      },
      responses: Object.fromEntries(
        Object.entries(errorStatuses).map(([status, description]) => [
          `Error${status}`,
          { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorEnvelope' } } } },
        ]),
      ),
      schemas: components.schemas,
    },
  };
}
