import type { ProviderConfig } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { createSettingsCipher } from './encryption.ts';

const field = (name: string, type: string): ProviderConfig => ({
  name,
  type,
  scope: null,
  required: true,
  default: null,
  options: null,
  multiple: false,
  label: { en_US: name },
  help: null,
  url: null,
  placeholder: null,
});

const secret = [field('api_key', 'secret-input'), field('region', 'text-input')];
const place = { tenantId: 't', userId: 'u', endpointId: 'e' };
const data = { api_key: 'sk-1', region: 'eu' };

function recording(answer: string) {
  const asked: { path: string; body: unknown; options: unknown }[] = [];
  const cipher = createSettingsCipher({
    call: async (path, body, options) => {
      asked.push({ path, body: JSON.parse(body), options });
      return answer;
    },
  });
  return { asked, cipher };
}

test('settings with secrets go to Dify and come back', async () => {
  const { asked, cipher } = recording('{"data":{"api_key":"enc","region":"eu"}}');
  const { signal } = new AbortController();
  expect(await cipher.encrypt({ ...place, data, config: secret, signal })).toEqual({ api_key: 'enc', region: 'eu' });
  expect(await cipher.decrypt({ ...place, userId: '', data, config: secret })).toEqual({
    api_key: 'enc',
    region: 'eu',
  });
  const body = { tenant_id: 't', user_id: 'u', type: 'encrypt', opt: 'encrypt', namespace: 'endpoint', identity: 'e' };
  expect(asked).toEqual([
    { path: 'invoke/encrypt', body: { ...body, data, config: secret }, options: { signal } },
    { path: 'invoke/encrypt', body: { ...body, user_id: '', opt: 'decrypt', data, config: secret }, options: {} },
  ]);
});

test.each([[[]], [null], [undefined], [[field('region', 'text-input')]]])(
  'without secrets Dify is not asked: %j',
  async (config) => {
    const { asked, cipher } = recording('{}');
    expect(await cipher.encrypt({ ...place, data, config })).toBe(data);
    expect(await cipher.decrypt({ ...place, data, config })).toBe(data);
    expect(asked).toEqual([]);
  },
);

test('clearing always reaches Dify, with an object and a list', async () => {
  const { asked, cipher } = recording('{"data":{}}');
  await cipher.clear({ ...place, config: undefined });
  expect(asked[0]?.body).toMatchObject({ opt: 'clear', data: {}, config: [] });
});

test('an answer without settings is an error, not empty settings', async () => {
  const { cipher } = recording('{"other":1}');
  await expect(cipher.encrypt({ ...place, data, config: secret })).rejects.toThrow('data is nil');
});
