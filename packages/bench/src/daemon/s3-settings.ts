/** Settings of a daemon that keeps packages in a bucket. @param url of an S3 server, with its keys, as `npm run services` tells it */
export function s3Settings(url: string, bucket: string): Readonly<Record<string, string>> {
  const { username, password, host } = new URL(url);
  return {
    PLUGIN_STORAGE_TYPE: 'aws_s3',
    PLUGIN_STORAGE_OSS_BUCKET: bucket,
    S3_ENDPOINT: `http://${host}`,
    S3_USE_AWS: 'false',
    S3_USE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY: username,
    AWS_SECRET_KEY: password,
    AWS_REGION: 'us-east-1',
  };
}
