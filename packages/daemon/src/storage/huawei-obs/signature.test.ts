/** The answer of Huawei's signature tool, as the tests of the Rust library reqsign record it. */
import { expect, test } from 'vitest';
import { signObs } from './signature.ts';

test('a known request', () => {
  const sign = signObs('bucket', { id: 'access_key', secret: '123456' });
  const signed = sign(
    {
      method: 'GET',
      host: 'bucket.obs.cn-north-4.myhuaweicloud.com',
      key: 'object.txt',
      path: '/object.txt',
      query: {},
      headers: { 'content-md5': 'abc', 'content-type': 'text/plain' },
    },
    new Date('2022-08-15T16:50:12Z'),
  );
  expect(signed).toEqual({
    date: 'Mon, 15 Aug 2022 16:50:12 GMT',
    authorization: 'OBS access_key:9gUZ4ol2W19LyYcc92Bu3U0V09E=',
  });
});
