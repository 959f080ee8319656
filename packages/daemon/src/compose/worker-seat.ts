/** What a worker of several is, for those who wire its parts. */
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { type Settings, usesRedis } from '../config/index.ts';
import type { Channel } from '../ipc/index.ts';

export interface WorkerSeat {
  /** To the primary process. */
  readonly channel: Channel;
  /** Counted from 1. */
  readonly index: number;
  /** How many workers there are. */
  readonly count: number;
  /** No worker of this daemon has opened the database yet, and those of the past are gone. */
  readonly isFirst: boolean;
}

/** The primary process carries what Redis does not. */
export const sharesThroughPrimary = (settings: Settings, seat: WorkerSeat | undefined): seat is WorkerSeat =>
  seat !== undefined && !usesRedis(settings);

/** The places of the workers of one node, and that of this one. */
export function placesOf(name: string, seat: WorkerSeat | undefined) {
  if (seat === undefined) return undefined;
  const place = (index: number): string => `${name}/${index}`;
  return { own: place(seat.index), all: Array.from({ length: seat.count }, (_, at) => place(at + 1)) };
}

/** Cores that this process may use while its siblings do the same. */
export const coresOf = (seat: WorkerSeat | undefined): number =>
  Math.max(1, Math.floor(availableParallelism() / (seat?.count ?? 1)));

/** What no two processes can have is shared out; the first worker keeps what a daemon without workers has. */
export function settingsOf(settings: Settings, seat: WorkerSeat | undefined): Settings {
  if (seat === undefined) return settings;
  const { index, count } = seat;
  const { first, last } = settings.PLUGIN_UID_RANGE;
  const share = Math.floor((last - first + 1) / count);
  const isFirst = index === 1;
  return {
    ...settings,
    PLUGIN_UID_RANGE: { first: first + (index - 1) * share, last: first + index * share - 1 },
    PLUGIN_WORKING_PATH: isFirst ? settings.PLUGIN_WORKING_PATH : `${settings.PLUGIN_WORKING_PATH}/.worker-${index}`,
    LOG_FILE: isFirst || settings.LOG_FILE === undefined ? settings.LOG_FILE : ofWorker(settings.LOG_FILE, index),
    NODE_PORT: settings.NODE_PORT === 0 ? 0 : settings.NODE_PORT + index - 1,
  };
}

/** `daemon.log` → `daemon.worker-2.log` */
function ofWorker(file: string, index: number): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}.worker-${index}${extension}`;
}
