import { choice, integer, path, text } from './setting.ts';

/** The serverless platform; all of it has an effect with `PLATFORM=serverless` alone. */
export const serverlessSettings = {
  DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: text({
    meaning: 'Base URL of the connector (SRI) that builds and lists functions. Required with `PLATFORM=serverless`.',
    usedBy: 'functions',
  }),
  DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: text({
    secret: true,
    meaning:
      'Key of the connector, sent as it is in `Authorization`. Required with `PLATFORM=serverless`, unless a file holds it.',
    usedBy: 'functions',
  }),
  DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY_FILE: path({
    meaning:
      'File with the key of the connector, which then counts instead; read before each request, so that a new key needs no restart.',
    usedBy: 'functions',
    own: true,
  }),
  DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT: integer({
    default: 240,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Longest launch of a function, from the first request for it to its last message.',
    usedBy: 'functions',
  }),
  MAX_SERVERLESS_RETRY_TIMES: integer({
    default: 3,
    meaning: 'Attempts of one call of a function that does not answer, or for which a gateway answers 502.',
    usedBy: 'runtimes',
  }),
  MAX_SERVERLESS_REQUEST_BYTES: integer({
    default: 5_242_880,
    zeroIsDefault: true,
    unit: 'bytes',
    meaning:
      'Largest request to a function. Calls for text embeddings are split to keep within it; others are refused.',
    usedBy: 'runtimes',
  }),
  MAX_SERVERLESS_TRANSACTION_TIMEOUT: integer({
    default: 300,
    zeroIsDefault: true,
    unit: 's',
    meaning: 'Longest call of a function back into the daemon.',
    usedBy: 'http',
  }),
  SERVERLESS_CALL_BACK_SECRET: choice(
    { optional: 'optional', required: 'required' },
    {
      default: 'optional',
      meaning:
        'Whether a function that calls back has to show the secret of its session beside its id. SDKs cannot; a connector that stands between can.',
      usedBy: 'http',
      own: true,
    },
  ),
};
