/**
 * Citations: what comments and documents say can be read elsewhere. Owns the rule that it can be, by everybody who has this repository;
 * reads the repository's files and nothing else. Called by the program `citations.ts`.
 */
export { checkCitations, type Problem } from './check.ts';
export { type RepositoryFile, readRepository } from './files.ts';
