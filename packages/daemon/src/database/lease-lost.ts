/** A job whose lease somebody else has taken meanwhile: nothing was written. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor(jobId: string) {
    super(`the lease of the job ${jobId} was lost to another node`);
  }
}
