import type { AliyunOssOptions } from './aliyun-oss/index.ts';
import type { AzureBlobStorageOptions } from './azure-blob/index.ts';
import type { BaiduBosOptions } from './baidu-bos/index.ts';
import type { GcsStorageOptions } from './gcs/index.ts';
import type { HuaweiObsOptions } from './huawei-obs/index.ts';
import { type LocalStorageOptions, openLocalStorage } from './local/index.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { S3StorageOptions } from './s3/index.ts';
import type { TencentCosOptions } from './tencent-cos/index.ts';
import type { VolcengineTosOptions } from './volcengine-tos/index.ts';

/** Which store, and what its driver needs. */
export type StorageOptions =
  | ({ readonly type: 'local' } & LocalStorageOptions)
  | ({ readonly type: 'aws_s3' } & S3StorageOptions)
  | ({ readonly type: 'azure_blob' } & AzureBlobStorageOptions)
  | ({ readonly type: 'gcs' } & GcsStorageOptions)
  | ({ readonly type: 'aliyun_oss' } & AliyunOssOptions)
  | ({ readonly type: 'tencent_cos' } & TencentCosOptions)
  | ({ readonly type: 'huawei_obs' } & HuaweiObsOptions)
  | ({ readonly type: 'volcengine_tos' } & VolcengineTosOptions)
  | ({ readonly type: 'baidu_bos' } & BaiduBosOptions);

/**
 * Opens the store. One that is reached over the network is not asked anything yet: it may come up later, and `problem` says whether
 * it has. Its driver, and the library that stands on, are loaded by this.
 * @throws DaemonError when the directory cannot be used, or the library is not installed
 */
export async function openStorage(options: StorageOptions): Promise<ObjectStorage> {
  switch (options.type) {
    case 'local':
      return await openLocalStorage(options);
    case 'aws_s3':
      return await (await import('./s3/index.ts')).openS3Storage(options);
    case 'azure_blob':
      return await (await import('./azure-blob/index.ts')).openAzureBlobStorage(options);
    case 'gcs':
      return await (await import('./gcs/index.ts')).openGcsStorage(options);
    case 'aliyun_oss':
      return await (await import('./aliyun-oss/index.ts')).openAliyunOssStorage(options);
    case 'tencent_cos':
      return await (await import('./tencent-cos/index.ts')).openTencentCosStorage(options);
    case 'huawei_obs':
      return await (await import('./huawei-obs/index.ts')).openHuaweiObsStorage(options);
    case 'volcengine_tos':
      return await (await import('./volcengine-tos/index.ts')).openVolcengineTosStorage(options);
    case 'baidu_bos':
      return await (await import('./baidu-bos/index.ts')).openBaiduBosStorage(options);
  }
}
