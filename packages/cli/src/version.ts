import metadata from '../package.json' with { type: 'json' };

/** Of the command line. */
export const VERSION: string = metadata.version;
