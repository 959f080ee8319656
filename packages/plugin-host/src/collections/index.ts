/**
 * Collections for what comes and goes with every call. Owns nothing but what is put in; knows no plugin. Used on the path of a call.
 */
export { countedUpTo } from './counted-up-to.ts';
export { PassingMap } from './passing-map.ts';
