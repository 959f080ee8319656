import { embed, required, string } from '@plugin-daemon/wire-schema';

/** Which model, the same in all requests to models. */
export const model = embed('BaseRequestInvokeModel', {
  provider: string('Provider').check(required),
  model: string('Model').check(required),
});
