import type { Settings } from '../config/index.ts';
import { createLog, type OwnedLog } from '../telemetry/index.ts';

const MEGABYTE = 1_000_000;

/** The log as the settings describe it. @param secrets values that are never written @param worker which worker this is */
export const openLog = (settings: Settings, secrets: readonly string[], worker?: number): OwnedLog =>
  createLog({
    level: settings.LOG_LEVEL,
    format: settings.LOG_OUTPUT_FORMAT,
    file: settings.LOG_FILE,
    fileMaxBytes: settings.LOG_FILE_MAX_SIZE * MEGABYTE,
    fileBackups: settings.LOG_FILE_BACKUP_COUNT,
    terminal: process.stdout.isTTY === true && process.stdout.hasColors(),
    timeZone: settings.SERVER_TZ,
    secrets,
    worker,
  });
