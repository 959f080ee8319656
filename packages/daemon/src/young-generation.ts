import { setFlagsFromString } from 'node:v8';

/**
 * While modules are loaded nearly everything lives on, and the engine makes room for young objects that it never gives back: 16 MB of an
 * idle daemon. Held small during the start, they are moved out of the way instead; released, the room grows with the load as ever.
 */
export const holdYoungGeneration = (): void => setFlagsFromString('--semi-space-growth-factor=1');

export const releaseYoungGeneration = (): void => setFlagsFromString('--semi-space-growth-factor=2');
