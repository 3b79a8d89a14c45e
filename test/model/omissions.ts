/** What claim to settle is made without: each breaks one of the rules that hold it together. */
export interface Omissions {
  /** B1: claims and loads in one statement. */
  readonly oneStatement?: boolean;
  /** B4: sends whatever the clock says. */
  readonly ignoresLease?: boolean;
  /** B5: trusts the link after a claim that was not settled. */
  readonly trustsLink?: boolean;
  /** B6: writes under remote ids that it has not reserved. */
  readonly reservesNothing?: boolean;
  /** B7: a settle that comes too late says nothing of what it may have written. */
  readonly forgetsLate?: boolean;
  /** B7: a settle that frees the delivery takes its doubt away. */
  readonly clearsUnsure?: boolean;
  /** B7: a settle records whatever the token says. */
  readonly ignoresToken?: boolean;
  /** B8: settle decides on what its snapshot saw, not on what it locked. */
  readonly locksNothing?: boolean;
  /** B8: each part of settle decides on the table's values, as it finds them. */
  readonly decidesOnTable?: boolean;
}
