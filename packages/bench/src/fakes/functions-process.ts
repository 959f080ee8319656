/** The fake functions as a program: prints its address, and serves until its standard input ends. */
import { startFakeFunctions } from './fake-functions.ts';

const server = await startFakeFunctions();
process.stdout.write(`${server.url}\n`);
process.stdin.once('end', () => void server.close()).resume();
