/** A server of the demo or of the tests could not be prepared or started; the message says which, why, and what to do. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}
