/** Requests of tools, agents, OAuth, dynamic parameters, endpoints, datasources and triggers (docs/wire/http-api.md#dispatch). */
import { embed, int, nested, nullable, object, record, required, string } from '@plugin-daemon/wire-schema';
import { credentials } from './common.ts';

const provider = () => ({ provider: string('Provider').check(required) });
const rawRequest = () => ({
  raw_http_request: string('RawHttpRequest').check(required).describe('A raw HTTP/1.1 request, hex-encoded.'),
});

export const InvokeTool = record(
  'RequestInvokeTool',
  embed('InvokeToolSchema', {
    ...provider(),
    tool: string('Tool').check(required),
    tool_parameters: object('ToolParameters').describe('`{}` where there are none.'),
  }),
  credentials(),
);
export const ValidateToolCredentials = record('RequestValidateToolCredentials', {
  ...provider(),
  credentials: object('Credentials'),
});
export const GetToolRuntimeParameters = record('RequestGetToolRuntimeParameters', {
  ...provider(),
  tool: string('Tool').check(required),
  credentials: object('Credentials'),
});

export const InvokeAgentStrategy = record(
  'RequestInvokeAgentStrategy',
  embed('InvokeAgentStrategySchema', {
    agent_strategy_provider: string('AgentStrategyProvider').check(required),
    agent_strategy: string('AgentStrategy').check(required),
    agent_strategy_params: object('AgentStrategyParams'),
  }),
);

export const InvokeEndpoint = record('RequestInvokeEndpoint', { ...rawRequest(), settings: object('Settings') });

const oauth = () => ({
  ...provider(),
  redirect_uri: string('RedirectURI').check(required),
  system_credentials: object('SystemCredentials'),
});
export const OAuthGetAuthorizationURL = record('RequestOAuthGetAuthorizationURL', oauth());
export const OAuthGetCredentials = record('RequestOAuthGetCredentials', { ...oauth(), ...rawRequest() });
export const OAuthRefreshCredentials = record('RequestOAuthRefreshCredentials', {
  ...oauth(),
  credentials: object('Credentials').check(required),
});

export const DynamicParameterSelect = record('RequestDynamicParameterSelect', {
  credentials: object('Credentials').check(required),
  credential_type: string('CredentialType').omit(),
  ...provider(),
  provider_action: string('ProviderAction').check(required),
  parameter: string('Parameter').check(required),
});

const datasource = () =>
  embed('BaseRequestInvokeDatasource', { ...provider(), datasource: string('Datasource').check(required) });
const datasourceParameters = { datasource_parameters: object('DatasourceParameters').check(required) };
export const ValidateDatasourceCredentials = record('RequestValidateDatasourceCredentials', credentials(), provider());
export const DatasourceGetWebsiteCrawl = record(
  'RequestDatasourceGetWebsiteCrawl',
  credentials(),
  datasource(),
  datasourceParameters,
);
export const DatasourceGetOnlineDocumentPages = record(
  'RequestDatasourceGetOnlineDocumentPages',
  credentials(),
  datasource(),
  datasourceParameters,
);
export const DatasourceGetContent = record(
  'RequestInvokeOnlineDocumentDatasourceGetContent',
  credentials(),
  datasource(),
  {
    page: object('Page').check(required),
  },
);
export const DatasourceBrowseFiles = record('DatasourceOnlineDriveBrowseFilesRequest', credentials(), datasource(), {
  request: nested(
    'Request',
    record('OnlineDriveBrowseFilesRequest', {
      bucket: nullable(string('Bucket')),
      prefix: string('Prefix'),
      max_keys: int('MaxKeys').check(required),
      next_page_parameters: object('NextPageParameters'),
    }),
  ),
});
export const DatasourceDownloadFile = record('DatasourceOnlineDriveDownloadFileRequest', credentials(), datasource(), {
  request: nested(
    'Request',
    record('OnlineDriveDownloadFileRequest', { bucket: nullable(string('Bucket')), id: string('ID').check(required) }),
  ),
});

const triggerRequest = () => ({
  raw_http_request: string('RawHTTPRequest').check(required).describe('A raw HTTP/1.1 request, hex-encoded.'),
});
const subscription = { subscription: object('Subscription').check(required) };
export const TriggerInvokeEvent = record('TriggerInvokeEventRequest', credentials(), {
  ...provider(),
  event: string('Event').check(required),
  ...triggerRequest(),
  parameters: object('Parameters'),
  ...subscription,
  payload: object('Payload'),
});
export const TriggerValidateCredentials = record(
  'TriggerValidateProviderCredentialsRequest',
  provider(),
  credentials(),
);
export const TriggerDispatchEvent = record('TriggerDispatchEventRequest', credentials(), {
  ...provider(),
  ...subscription,
  ...triggerRequest(),
});
export const TriggerSubscribe = record('TriggerSubscribeRequest', credentials(), {
  ...provider(),
  endpoint: string('Endpoint').check(required),
  parameters: object('Parameters'),
});
export const TriggerUnsubscribe = record('TriggerUnsubscribeRequest', credentials(), {
  ...provider(),
  ...subscription,
});
export const TriggerRefresh = record('TriggerRefreshRequest', credentials(), { ...provider(), ...subscription });
