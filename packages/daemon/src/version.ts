/** The version of this daemon, as its package states it: shown by the health answer, the description and the banner. */
export const VERSION = '0.1.0';
