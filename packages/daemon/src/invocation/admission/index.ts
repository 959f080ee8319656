/**
 * Whether a call may begin: how many calls a tenant may make of a plugin, and whether that plugin fails it over and over. Owns the counts, in
 * memory and of this node alone; asked by invocation before anything is started. Both rules are off unless a setting says otherwise.
 */
export { Admission, type AdmissionOptions, type CallLimits, type RefusalReason } from './admission.ts';
