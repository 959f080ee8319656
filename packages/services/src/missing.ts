/** Prints Debian's packages of the services that cannot be started here, for `.ci/services`. */
import { missing } from './running.ts';
import { type ServiceName, services } from './table.ts';

const isName = (word: string): word is ServiceName => word in services;
const absent = Object.keys(services)
  .filter(isName)
  .filter((name) => missing(name).length > 0);
process.stdout.write([...new Set(absent.flatMap((name) => services[name].packages))].join(' '));
