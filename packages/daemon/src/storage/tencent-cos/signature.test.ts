/** The answer of `auth_test.go` in Tencent's own cos-go-sdk-v5. */
import { expect, test } from 'vitest';
import { signQ } from './signature.ts';

test('a known request', () => {
  const sign = signQ({ id: 'QmFzZTY0IGlzIGEgZ2VuZXJp', key: 'AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM' }, 0, 80_000);
  const signed = sign(
    {
      method: 'PUT',
      host: 'testbucket-125000000.cos.ap-guangzhou.myqcloud.com',
      key: 'testfile2',
      path: '/testfile2',
      query: {},
      headers: {
        'x-cos-content-sha1': 'db8ac1c259eb89d4a131b253bacfca5f319d54f2',
        'x-cos-stroage-class': 'nearline',
      },
    },
    new Date(1480932292 * 1000),
  );
  expect(signed).toEqual({
    authorization:
      'q-sign-algorithm=sha1&q-ak=QmFzZTY0IGlzIGEgZ2VuZXJp&q-sign-time=1480932292;1481012292&q-key-time=1480932292;1481012292&q-header-list=host;x-cos-content-sha1;x-cos-stroage-class&q-url-param-list=&q-signature=ce4ac0ecbcdb30538b3fee0a97cc6389694ce53a',
  });
});
