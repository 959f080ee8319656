/** The worked example of Baidu's page on its authorization strings; there, the list of headers is left at its default. */
import { expect, test } from 'vitest';
import { signBce } from './signature.ts';

test('a known request', () => {
  const sign = signBce({ id: 'a'.repeat(32), secret: 'b'.repeat(32) });
  const signed = sign(
    {
      method: 'PUT',
      host: 'bj.bcebos.com',
      key: 'myfolder/readme.txt',
      path: '/v1/test/myfolder/readme.txt',
      query: { partNumber: '9', uploadId: 'a44cc9bab11cbd156984767aad637851' },
      headers: { 'content-type': 'text/plain', 'content-length': '8', 'content-md5': 'NFzcPqhviddjRNnSOGo4rw==' },
    },
    new Date('2015-04-27T08:23:49Z'),
  );
  expect(signed).toEqual({
    'x-bce-date': '2015-04-27T08:23:49Z',
    authorization: `bce-auth-v1/${'a'.repeat(32)}/2015-04-27T08:23:49Z/1800/content-length;content-md5;content-type;host;x-bce-date/d74a04362e6a848f5b39b15421cb449427f419c95a480fd6b8cf9fc783e2999e`,
  });
});
