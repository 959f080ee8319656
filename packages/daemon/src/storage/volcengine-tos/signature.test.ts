/** The answer of `tos/sign_v4_test.go` in Volcengine's own ve-tos-golang-sdk. */
import { expect, test } from 'vitest';
import { signTos4 } from './signature.ts';

test('a known request', () => {
  const sign = signTos4('cn-north-1', {
    id: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  });
  const signed = sign(
    { method: 'GET', host: 'test.tos.com:8080', key: 'test.txt', path: '/test.txt', query: {}, headers: {} },
    new Date('2021-07-21T10:44:54Z'),
  );
  expect(signed).toEqual({
    'x-tos-date': '20210721T104454Z',
    authorization:
      'TOS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20210721/cn-north-1/tos/request,SignedHeaders=host;x-tos-date,Signature=3453b54ecfc50e6ed3fc15cbdb82f8a18d644063302080fb18ee10daa4f1a23f',
  });
});
