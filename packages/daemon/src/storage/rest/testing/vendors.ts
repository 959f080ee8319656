/** The stores as their public documentation describes them, from the other side: each signature is taken apart and made again. */
import {
  escapeBytes,
  type FakeVendor,
  hashHex,
  isNow,
  isNowCompact,
  keyId,
  keySecret,
  mac,
  macBase64,
  macHex,
  rawParameters,
  type WireRequest,
} from './verifier.ts';

const sourceIn = (prefix: string) => (value: string) =>
  value.startsWith(prefix) ? decodeURIComponent(value.slice(prefix.length)) : undefined;

/** Verb, digest, type, date, own headers and resource, each on a line: Aliyun's version 1, and Huawei's. */
function refuseSha1(request: WireRequest, word: string, own: string, resource: string): string | undefined {
  const { date, authorization } = request.headers;
  if (!isNow(date)) return 'RequestTimeTooSkewed';
  let text = `${request.method}\n${request.headers['content-md5'] ?? ''}\n${request.headers['content-type'] ?? ''}\n${date}\n`;
  for (const name of Object.keys(request.headers).toSorted()) {
    if (name.startsWith(own)) text += `${name}:${request.headers[name]?.trim()}\n`;
  }
  text += resource;
  return authorization === `${word} ${keyId}:${macBase64('sha1', keySecret, text)}`
    ? undefined
    : 'SignatureDoesNotMatch';
}

const aliyun = {
  host: (port: number) => `b.oss.example:${port}`,
  base: '/',
  copySource: { header: 'x-oss-copy-source', key: sourceIn('/b/') },
  requestIdHeader: 'x-oss-request-id',
  format: 'xml',
  paging: { limit: 'max-keys', after: 'marker' },
} as const;

const aliyunV4 =
  (region: string, product: string): FakeVendor['refuse'] =>
  (request) => {
    const found =
      /^OSS4-HMAC-SHA256 Credential=the-id\/(\d{8})\/([^/]+)\/([^/]+)\/aliyun_v4_request,Signature=([0-9a-f]{64})$/.exec(
        request.headers.authorization ?? '',
      );
    const time = request.headers['x-oss-date'] ?? '';
    if (found === null || !isNowCompact(time)) return 'InvalidArgument';
    const [, day = '', inRegion, ofProduct, signature] = found;
    if (inRegion !== region || ofProduct !== product || !time.startsWith(day)) return 'InvalidArgument';
    if (request.headers['x-oss-content-sha256'] !== 'UNSIGNED-PAYLOAD') return 'InvalidArgument';
    const parameters = rawParameters(request.rawQuery)
      .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
      .toSorted();
    let text = `${request.method}\n/b${request.rawPath}\n${parameters.join('&')}\n`;
    for (const name of Object.keys(request.headers).toSorted()) {
      if (/^(content-type|content-md5|x-oss-.*)$/.test(name)) text += `${name}:${request.headers[name]}\n`;
    }
    text += '\n\nUNSIGNED-PAYLOAD';
    const k1 = mac('sha256', `aliyun_v4${keySecret}`, day);
    const k2 = mac('sha256', k1, region);
    const k3 = mac('sha256', k2, product);
    const k4 = mac('sha256', k3, 'aliyun_v4_request');
    const toSign = `OSS4-HMAC-SHA256\n${time}\n${day}/${region}/${product}/aliyun_v4_request\n${hashHex('sha256', text)}`;
    return macHex('sha256', k4, toSign) === signature ? undefined : 'SignatureDoesNotMatch';
  };

const tencent: FakeVendor = {
  host: (port) => `b-125.cos.r.example:${port}`,
  base: '/',
  copySource: { header: 'x-cos-copy-source', key: sourceIn('b-125.cos.r.myqcloud.com/') },
  requestIdHeader: 'x-cos-request-id',
  format: 'xml',
  paging: { limit: 'max-keys', after: 'marker' },
  refuse: (request) => {
    const given = Object.fromEntries(
      (request.headers.authorization ?? '').split('&').map((part) => {
        const at = part.indexOf('=');
        return [part.slice(0, at), part.slice(at + 1)];
      }),
    );
    if (given['q-sign-algorithm'] !== 'sha1' || given['q-ak'] !== keyId) return 'InvalidAccessKeyId';
    const time = given['q-sign-time'] ?? '';
    const [from = 0, to = 0] = time.split(';').map(Number);
    const now = Date.now() / 1000;
    if (given['q-key-time'] !== time || !(from <= now && now <= to)) return 'AccessDenied';
    const listed = (given['q-header-list'] ?? '').split(';');
    if (!listed.includes('host')) return 'AccessDenied';
    if (Object.keys(request.headers).some((name) => name.startsWith('x-cos-') && !listed.includes(name)))
      return 'AccessDenied';
    const headers = listed.map((name) => `${name}=${escapeBytes(request.headers[name] ?? '')}`).join('&');
    const sent = rawParameters(request.rawQuery).map(([name, value]) => [name.toLowerCase(), value] as const);
    const names = sent.map(([name]) => name).toSorted();
    if (given['q-url-param-list'] !== names.join(';')) return 'AccessDenied';
    const parameters = names.map((name) => `${name}=${sent.find(([other]) => other === name)?.[1]}`).join('&');
    const text = `${request.method.toLowerCase()}\n${decodeURIComponent(request.rawPath)}\n${parameters}\n${headers}\n`;
    const keyOfTime = macHex('sha1', keySecret, time);
    const expected = macHex('sha1', keyOfTime, `sha1\n${time}\n${hashHex('sha1', text)}\n`);
    return expected === given['q-signature'] ? undefined : 'SignatureDoesNotMatch';
  },
};

const huawei = (pathStyle: boolean): FakeVendor => ({
  host: (port) => (pathStyle ? `obs.example:${port}` : `b.obs.example:${port}`),
  base: pathStyle ? '/b/' : '/',
  copySource: { header: 'x-obs-copy-source', key: sourceIn('/b/') },
  requestIdHeader: 'x-obs-request-id',
  format: 'xml',
  paging: { limit: 'max-keys', after: 'marker' },
  refuse: (request) => refuseSha1(request, 'OBS', 'x-obs-', pathStyle ? request.rawPath : `/b${request.rawPath}`),
});

const volcengine: FakeVendor = {
  host: (port) => `b.tos.example:${port}`,
  base: '/',
  copySource: { header: 'x-tos-copy-source', key: sourceIn('/b/') },
  requestIdHeader: 'x-tos-request-id',
  format: 'json',
  paging: { limit: 'max-keys', after: 'continuation-token', fixed: { 'list-type': '2' } },
  refuse: (request) => {
    const found =
      /^TOS4-HMAC-SHA256 Credential=the-id\/(\d{8})\/r\/tos\/request,SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})$/.exec(
        request.headers.authorization ?? '',
      );
    const time = request.headers['x-tos-date'] ?? '';
    if (found === null || !isNowCompact(time)) return 'InvalidArgument';
    const [, day = '', list = '', signature] = found;
    const names = list.split(';');
    const due = Object.keys(request.headers).filter((name) => /^(host|content-type|x-tos-.*)$/.test(name));
    if (due.toSorted().join() !== names.join() || !time.startsWith(day)) return 'InvalidArgument';
    const parameters = rawParameters(request.rawQuery)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted();
    let text = `${request.method}\n${request.rawPath}\n${parameters.join('&')}\n`;
    for (const name of names) text += `${name}:${request.headers[name]}\n`;
    text += `\n${list}\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`;
    const k1 = mac('sha256', keySecret, day);
    const k2 = mac('sha256', k1, 'r');
    const k3 = mac('sha256', k2, 'tos');
    const k4 = mac('sha256', k3, 'request');
    const expected = macHex(
      'sha256',
      k4,
      `TOS4-HMAC-SHA256\n${time}\n${day}/r/tos/request\n${hashHex('sha256', text)}`,
    );
    return expected === signature ? undefined : 'SignatureDoesNotMatch';
  },
};

const baidu: FakeVendor = {
  host: (port) => `b.bos.example:${port}`,
  base: '/',
  copySource: { header: 'x-bce-copy-source', key: sourceIn('/b/') },
  requestIdHeader: 'x-bce-request-id',
  format: 'json-lower',
  paging: { limit: 'maxKeys', after: 'marker' },
  refuse: (request) => {
    const [version, id, time = '', seconds, list = '', signature, more] = (request.headers.authorization ?? '').split(
      '/',
    );
    if (version !== 'bce-auth-v1' || id !== keyId || more !== undefined) return 'InvalidAccessKeyId';
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time) || !isNow(time)) return 'RequestExpired';
    if (request.headers['x-bce-date'] !== time) return 'InvalidHTTPAuthHeader';
    const names = list.split(';');
    const due = Object.keys(request.headers).filter((name) =>
      /^(host|content-length|content-type|content-md5|x-bce-.*)$/.test(name),
    );
    if (due.toSorted().join() !== names.join()) return 'InvalidHTTPAuthHeader';
    const headers = names
      .map((name) => `${escapeBytes(name)}:${escapeBytes(request.headers[name]?.trim() ?? '')}`)
      .toSorted();
    const parameters = rawParameters(request.rawQuery)
      .map(([name, value]) => `${name}=${value}`)
      .toSorted();
    const text = [request.method, request.rawPath, parameters.join('&'), headers.join('\n')].join('\n');
    const keyOfTime = macHex('sha256', keySecret, `bce-auth-v1/${id}/${time}/${seconds}`);
    return macHex('sha256', keyOfTime, text) === signature ? undefined : 'SignatureDoesNotMatch';
  },
};

export const vendors = {
  aliyunV1: {
    ...aliyun,
    refuse: (request) => refuseSha1(request, 'OSS', 'x-oss-', `/b${decodeURIComponent(request.rawPath)}`),
  },
  aliyunV4: { ...aliyun, refuse: aliyunV4('cn-hangzhou', 'oss') },
  aliyunCloudBox: { ...aliyun, refuse: aliyunV4('cb-123', 'oss-cloudbox') },
  tencent,
  huawei: huawei(false),
  huaweiPath: huawei(true),
  volcengine,
  baidu,
} satisfies Record<string, FakeVendor>;
