import type { LookupFunction } from 'node:net';
import { openAliyunOssStorage } from '../../aliyun-oss/index.ts';
import { openBaiduBosStorage } from '../../baidu-bos/index.ts';
import { openHuaweiObsStorage } from '../../huawei-obs/index.ts';
import type { ObjectStorage } from '../../object-storage.ts';
import { openTencentCosStorage } from '../../tencent-cos/index.ts';
import { openVolcengineTosStorage } from '../../volcengine-tos/index.ts';
import { vendors } from './vendors.ts';
import { type FakeVendor, keyId, keySecret } from './verifier.ts';

/** Every name is this machine. */
const lookup: LookupFunction = (_hostname, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

export interface StoreUnderTest {
  readonly name: string;
  readonly vendor: FakeVendor;
  readonly open: (port: number, secret?: string, root?: string) => Promise<ObjectStorage>;
}

const aliyun =
  (more: { authVersion: 'v1' | 'v4'; region: string; cloudBoxId: string }): StoreUnderTest['open'] =>
  (port, accessKeySecret = keySecret, path = '') =>
    openAliyunOssStorage({
      bucket: 'b',
      endpoint: `http://oss.example:${port}`,
      accessKeyId: keyId,
      accessKeySecret,
      path,
      lookup,
      ...more,
    });
const huawei =
  (pathStyle: boolean): StoreUnderTest['open'] =>
  (port, secretKey = keySecret) =>
    openHuaweiObsStorage({
      bucket: 'b',
      server: `http://obs.example:${port}/`,
      accessKey: keyId,
      secretKey,
      pathStyle,
      lookup,
    });

/** Each driver, in each way it can ask. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'aliyun_oss v1', vendor: vendors.aliyunV1, open: aliyun({ authVersion: 'v1', region: '', cloudBoxId: '' }) },
  {
    name: 'aliyun_oss v4',
    vendor: vendors.aliyunV4,
    open: aliyun({ authVersion: 'v4', region: 'cn-hangzhou', cloudBoxId: '' }),
  },
  {
    name: 'aliyun_oss cloud box',
    vendor: vendors.aliyunCloudBox,
    open: aliyun({ authVersion: 'v4', region: 'cn-hangzhou', cloudBoxId: 'cb-123' }),
  },
  {
    name: 'tencent_cos',
    vendor: vendors.tencent,
    open: (port, secretKey = keySecret) =>
      openTencentCosStorage({
        bucket: 'b-125',
        region: 'r',
        endpoint: `http://b-125.cos.r.example:${port}`,
        secretId: keyId,
        secretKey,
        lookup,
      }),
  },
  { name: 'huawei_obs', vendor: vendors.huawei, open: huawei(false) },
  { name: 'huawei_obs in paths', vendor: vendors.huaweiPath, open: huawei(true) },
  {
    name: 'volcengine_tos',
    vendor: vendors.volcengine,
    open: (port, secretKey = keySecret) =>
      openVolcengineTosStorage({
        bucket: 'b',
        endpoint: `http://tos.example:${port}`,
        region: 'r',
        accessKey: keyId,
        secretKey,
        lookup,
      }),
  },
  {
    name: 'baidu_bos',
    vendor: vendors.baidu,
    open: (port, secretKey = keySecret) =>
      openBaiduBosStorage({ bucket: 'b', endpoint: `http://bos.example:${port}`, accessKey: keyId, secretKey, lookup }),
  },
];
