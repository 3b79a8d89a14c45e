/** Something that the demo shows did not come true; the message says what. */
export class TourError extends Error {
  override readonly name = 'TourError';
}
