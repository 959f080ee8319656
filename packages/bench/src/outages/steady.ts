/** The plugin that is called all the time. */
export const STEADY = 'steady';
