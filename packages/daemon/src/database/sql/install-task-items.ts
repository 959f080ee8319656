/** What a task follows from its items, and how an item is stored. */
import type { InstallTaskItem, InstallTaskStatus } from '../records.ts';

export const unfinished: readonly InstallTaskStatus[] = ['pending', 'running'];

export const isUnfinished = ({ status }: { readonly status: InstallTaskStatus }): boolean =>
  unfinished.includes(status);

/** The first failure fails the task for good; success of all makes it successful. */
export function statusFrom(status: InstallTaskStatus, items: readonly InstallTaskItem[]): InstallTaskStatus {
  if (status === 'failed' || items.some((item) => item.status === 'failed')) return 'failed';
  return items.every((item) => item.status === 'success') ? 'success' : status;
}

/** An item in the key order clients know, its message cut to a bearable length. */
export function storedItem(item: InstallTaskItem): InstallTaskItem {
  return {
    plugin_unique_identifier: item.plugin_unique_identifier,
    labels: item.labels,
    icon: item.icon,
    icon_dark: item.icon_dark,
    plugin_id: item.plugin_id,
    status: item.status,
    message: shortened(item.message),
    source: item.source,
  };
}

const longestMessage = 1024;
const keptEnd = 512;

/** Both ends of a long message, cut between characters; the usual length for ASCII. */
function shortened(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= longestMessage) return message;
  let head = keptEnd;
  while (isContinuation(bytes[head])) head--;
  let tail = bytes.length - keptEnd;
  while (isContinuation(bytes[tail])) tail++;
  return `${bytes.toString('utf8', 0, head)}...${bytes.toString('utf8', tail)}`;
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
