/**
 * What plugins can be asked. Pure data, read by the daemon's invocation/, which adds the records of requests and the reading of answers,
 * and by the commands that call a plugin. Adding an action begins with a row here.
 */
import { type AccessType, type ActionName, type ActionRow, actions } from './table.ts';

export { type AccessType, type ActionName, type ActionRow, actions } from './table.ts';

const isActionName = (name: string): name is ActionName => Object.hasOwn(actions, name);

/** In the order of the contract. */
export const actionNames: readonly ActionName[] = Object.keys(actions).filter(isActionName);

export const accessTypes: readonly AccessType[] = [...new Set(actionNames.map((name) => actions[name].type))];

/** The row of an action that somebody named; undefined when there is none. */
export const actionRow = (name: string): ActionRow | undefined => (isActionName(name) ? actions[name] : undefined);

/** Whether it has a route for calls of a plugin by its identifier. Polling has none (docs/wire/http-api.md#direct-calls), webhooks neither. */
export const isDirect = ({ path, reply }: ActionRow): boolean => path !== undefined && reply !== 'json';
