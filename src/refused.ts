/** This database must not be delivered from, or not with this configuration; the message says what to do. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
