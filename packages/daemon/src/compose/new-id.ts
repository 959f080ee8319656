import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

/**
 * A fresh UUID v7. The library's own source of random numbers is that of the web, which Node loads when it is first asked, and a start
 * would wait for it.
 */
export const newId = (): string => v7({ random: randomBytes(16) });
