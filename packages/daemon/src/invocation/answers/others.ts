/** Answers of credentials, OAuth, options, endpoints, datasources and triggers (docs/wire/http-api.md#dispatch). */
import {
  any,
  array,
  boolean,
  inPackage,
  int,
  nested,
  nullable,
  number,
  object,
  record,
  required,
  string,
} from '@plugin-daemon/wire-schema';
import { checked } from './answer.ts';

const credentialsResult = (packageName: string, name: string) =>
  checked(inPackage(packageName, record(name, { result: boolean('Result') })));
export const toolCredentials = credentialsResult('tool_entities', 'ValidateCredentialsResult');
export const datasourceCredentials = credentialsResult('datasource_entities', 'DataSourceValidateCredentialsResponse');
export const triggerCredentials = credentialsResult('requests', 'TriggerValidateProviderCredentialsResponse');

/** A text in several languages; `en_US` is checked where rules are. */
const I18n = inPackage(
  'plugin_entities',
  record('I18nObject', {
    en_US: string('EnUS').check(required),
    ja_JP: string('JaJp').omit(),
    zh_Hans: string('ZhHans').omit(),
    pt_BR: string('PtBr').omit(),
  }),
);

const ParameterOption = inPackage(
  'plugin_entities',
  record('ParameterOption', {
    value: string('Value').check(required),
    label: nested('Label', I18n),
    icon: string('Icon'),
  }),
);

/** Decoded like the parameters of a package, but not held to their rules (docs/wire/http-api.md#tools-and-agents). */
const ToolParameter = inPackage(
  'plugin_entities',
  record('ToolParameter', {
    name: string('Name'),
    label: nested('Label', I18n),
    human_description: nested('HumanDescription', I18n),
    type: string('Type').called('plugin_entities.ToolParameterType'),
    scope: nullable(string('Scope')),
    form: string('Form').called('plugin_entities.ToolParameterForm'),
    llm_description: string('LLMDescription'),
    required: boolean('Required'),
    auto_generate: nullable(
      nested(
        'AutoGenerate',
        inPackage(
          'plugin_entities',
          record('ParameterAutoGenerate', { type: string('Type').called('plugin_entities.ParameterAutoGenerateType') }),
        ),
      ),
    ),
    template: nullable(
      nested('Template', inPackage('plugin_entities', record('ParameterTemplate', { enabled: boolean('Enabled') }))),
    ),
    default: any('Default'),
    min: nullable(number('Min')),
    max: nullable(number('Max')),
    multiple: boolean('Multiple'),
    precision: nullable(int('Precision')),
    options: array('Options', ParameterOption),
  }),
);

export const runtimeParameters = checked(
  inPackage(
    'tool_entities',
    record('GetToolRuntimeParametersResponse', { parameters: array('Parameters', ToolParameter) }),
  ),
);

export const authorizationUrl = checked(
  inPackage(
    'oauth_entities',
    record('OAuthGetAuthorizationURLResult', { authorization_url: string('AuthorizationURL') }),
  ),
);
const expiry = () => ({ expires_at: int('ExpiresAt').called('int64') });
export const oauthCredentials = checked(
  inPackage(
    'oauth_entities',
    record('OAuthGetCredentialsResult', {
      metadata: object('Metadata').omit(),
      credentials: object('Credentials'),
      ...expiry(),
    }),
  ),
);
export const refreshedCredentials = checked(
  inPackage(
    'oauth_entities',
    record('OAuthRefreshCredentialsResult', { credentials: object('Credentials'), ...expiry() }),
  ),
);

export const options = checked(
  inPackage(
    'dynamic_select_entities',
    record('DynamicSelectResult', { options: array('Options', ParameterOption, { dive: true }) }),
  ),
);

export const websiteCrawl = checked(
  inPackage('datasource_entities', record('WebsiteCrawlChunk', { result: object('Result') })),
);
export const documentPages = checked(
  inPackage('datasource_entities', record('DatasourceGetPagesResponse', { result: array('Result', object('')) })),
);
export const browsedFiles = checked(
  inPackage(
    'datasource_entities',
    record('GetOnlineDriveBrowseFilesResponse', {
      result: array(
        'Result',
        inPackage(
          'datasource_entities',
          record('OnlineDriveFileBucket', {
            bucket: nullable(string('Bucket')),
            files: array(
              'Files',
              inPackage(
                'datasource_entities',
                record('OnlineDriveFile', {
                  id: string('ID'),
                  name: string('Name'),
                  size: int('Size'),
                  type: string('Type'),
                }),
              ),
            ),
            is_truncated: boolean('IsTruncated'),
            next_page_parameters: object('NextPageParameters'),
          }),
        ),
      ).check(required),
    }),
  ),
);

export const triggerVariables = checked(
  inPackage(
    'requests',
    record('TriggerInvokeEventResponse', { variables: object('Variables'), cancelled: boolean('Cancelled') }),
  ),
);
export const dispatchedEvent = checked(
  inPackage(
    'requests',
    record('TriggerDispatchEventResponse', {
      user_id: string('UserID'),
      events: array('Events', string('')),
      payload: object('Payload').omit(),
      response: string('Response'),
    }),
  ),
);
const changedSubscription = (name: string) =>
  checked(inPackage('requests', record(name, { subscription: object('Subscription') })));
export const subscribed = changedSubscription('TriggerSubscribeResponse');
export const unsubscribed = changedSubscription('TriggerUnsubscribeResponse');
export const refreshed = changedSubscription('TriggerRefreshResponse');

/** Read by the webhook route itself. */
export const endpointChunks = checked(
  record('EndpointResponseChunk', {
    status: nullable(int('Status')),
    headers: any('Headers'),
    result: nullable(string('Result')),
  }),
);
