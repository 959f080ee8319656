import { embed, object, record, required, string } from '@plugin-daemon/wire-schema';
import { memberText } from '../dify/index.ts';
import { difyKind } from './kind.ts';

export const appKinds = [
  difyKind({
    type: 'app',
    path: 'invoke/app',
    failure: 'invoke app failed: ',
    readFailure: 'read app failed: ',
    request: record(
      'InvokeAppRequest',
      embed('InvokeAppSchema', {
        app_id: string('AppId').check(required),
        inputs: object('Inputs'),
        query: string('Query'),
        response_mode: string('ResponseMode'),
        conversation_id: string('ConversationId'),
        user: string('User'),
      }),
    ),
  }),
  difyKind({
    type: 'fetch_app',
    path: 'fetch/app/info',
    failure: 'fetch app failed: ',
    request: record('FetchAppRequest', { app_id: string('AppId').check(required) }),
    // Dify wraps the app's parameters once more.
    adapt: (data) => {
      const inner = memberText(data, 'data')?.trim();
      if (inner === undefined || !inner.startsWith('{')) throw new Error('data is nil');
      return inner;
    },
  }),
];
