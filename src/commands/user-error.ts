/** A mistake or a failure that its message explains to a person; shown without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** 1: the work failed. 2: wrong usage or configuration. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
