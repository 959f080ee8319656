/** Answers of `oss/signer/signer_test.go` in Aliyun's own alibabacloud-oss-go-sdk-v2. */
import { expect, test } from 'vitest';
import { signV1, signV4 } from './signature.ts';

const keys = { id: 'ak', secret: 'sk' };

test('version 1', () => {
  const sign = signV1('examplebucket', keys);
  const signed = sign(
    {
      method: 'PUT',
      host: 'examplebucket.oss-cn-hangzhou.aliyuncs.com',
      key: 'nelson',
      path: '/nelson',
      query: {},
      headers: {
        'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
        'content-type': 'text/html',
        'x-oss-meta-author': 'alice',
        'x-oss-meta-magic': 'abracadabra',
        'x-oss-date': 'Wed, 28 Dec 2022 10:27:41 GMT',
      },
    },
    new Date('2022-12-28T10:27:41Z'),
  );
  expect(signed).toEqual({
    date: 'Wed, 28 Dec 2022 10:27:41 GMT',
    authorization: 'OSS ak:kSHKmLxlyEAKtZPkJhG9bZb5k7M=',
  });
});

test.each([
  ['cn-hangzhou', 'oss', 'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe'],
  ['cb-123', 'oss-cloudbox', '94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43'],
] as const)('version 4 in %s, %s', (region, product, signature) => {
  const sign = signV4('bucket', keys, { region, product });
  const signed = sign(
    {
      method: 'PUT',
      host: 'bucket.oss-cn-hangzhou.aliyuncs.com',
      key: '1234+-/123/1.txt',
      path: '/1234+-/123/1.txt',
      query: { param1: 'value1', '+param1': 'value3', '|param1': 'value4', '+param2': '', '|param2': '', param2: '' },
      headers: { 'x-oss-head1': 'value', abc: 'value', zabc: 'value', xyz: 'value', 'content-type': 'text/plain' },
    },
    new Date(1702743657 * 1000),
  );
  expect(signed).toEqual({
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-oss-date': '20231216T162057Z',
    authorization: `OSS4-HMAC-SHA256 Credential=ak/20231216/${region}/${product}/aliyun_v4_request,Signature=${signature}`,
  });
});
