/** From a package to a function: launches that are told step by step and joined by who asks again, and the building of one. */
export { FunctionBuilder, type FunctionBuilderParts } from './function-builder.ts';
export { Launches, type LaunchesOptions, type LaunchSteps } from './launches.ts';
export { type LaunchEvent, launchEvent, Progress } from './progress.ts';
