/** Answers of credentials, OAuth, options, endpoints, datasources and triggers (http-api §6.3–§6.6). */
import { any, array, boolean, int, nullable, object, record, required, string } from '@plugin-daemon/wire-schema';
import { checked } from './answer.ts';

export const result = checked(record('ValidateCredentialsResult', { result: boolean('Result') }));
export const runtimeParameters = checked(
  record('GetToolRuntimeParametersResponse', { parameters: array('Parameters', object('')) }),
);

export const authorizationUrl = checked(
  record('OAuthGetAuthorizationURLResult', { authorization_url: string('AuthorizationURL') }),
);
export const oauthCredentials = checked(
  record('OAuthGetCredentialsResult', {
    metadata: object('Metadata').omit(),
    credentials: object('Credentials'),
    expires_at: int('ExpiresAt'),
  }),
);
export const refreshedCredentials = checked(
  record('OAuthRefreshCredentialsResult', { credentials: object('Credentials'), expires_at: int('ExpiresAt') }),
);

export const options = checked(
  record('DynamicSelectResult', {
    options: array(
      'Options',
      record('ParameterOption', {
        value: string('Value').check(required),
        label: object('Label').check(required),
        icon: string('Icon'),
      }),
      { dive: true },
    ),
  }),
);

export const websiteCrawl = checked(record('WebsiteCrawlChunk', { result: object('Result') }));
export const documentPages = checked(record('DatasourceGetPagesResponse', { result: array('Result', object('')) }));
export const browsedFiles = checked(
  record('GetOnlineDriveBrowseFilesResponse', {
    result: array(
      'Result',
      record('OnlineDriveFileBucket', {
        bucket: nullable(string('Bucket')),
        files: array(
          'Files',
          record('OnlineDriveFile', {
            id: string('ID'),
            name: string('Name'),
            size: int('Size'),
            type: string('Type'),
          }),
        ),
        is_truncated: boolean('IsTruncated'),
        next_page_parameters: object('NextPageParameters'),
      }),
    ).check(required),
  }),
);

export const triggerVariables = checked(
  record('TriggerInvokeEventResponse', { variables: object('Variables'), cancelled: boolean('Cancelled') }),
);
export const dispatchedEvent = checked(
  record('TriggerDispatchEventResponse', {
    user_id: string('UserID'),
    events: array('Events', string('')),
    payload: object('Payload').omit(),
    response: string('Response'),
  }),
);
export const subscription = checked(record('TriggerSubscribeResponse', { subscription: object('Subscription') }));

/** Read by the webhook route itself. */
export const endpointChunks = checked(
  record('EndpointResponseChunk', {
    status: nullable(int('Status')),
    headers: any('Headers'),
    result: nullable(string('Result')),
  }),
);
