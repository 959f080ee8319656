/** MySQL, MariaDB and what speaks their protocol; no more of their SQL than both understand. */
export { openMysql } from './dialect.ts';
