/** A way in which a SCIM service differs from the RFC, or uses what the RFC leaves open. */
export type Quirk =
  /** PATCH is answered 501, and ServiceProviderConfig says so. */
  | 'no PATCH'
  /** PATCH is answered 405, though ServiceProviderConfig says that it is taken. */
  | 'PATCH promised'
  /** PUT is answered 405 (Google). */
  | 'no PUT'
  /** No more than 100 members in one request (AWS). */
  | 'members of 100'
  /** Nothing is answered to the next POST, though it was done. */
  | 'lost create'
  /** The same of the next PATCH. */
  | 'lost change'
  /** The same of whatever writes. */
  | 'lost answers'
  /** Nothing is ever answered. */
  | 'hangs'
  /** Whoever writes has no right to. */
  | 'read only'
  /** Every version is an old one. */
  | 'stale'
  /** Nothing can be removed for now. */
  | 'in use'
  /** Conflicts come without scimType. */
  | 'no scimType'
  /** No ServiceProviderConfig, ResourceTypes and Schemas. */
  | 'no discovery'
  /** Lists by cursor, and not otherwise (RFC 9865). */
  | 'cursors'
  /** Filters are answered 501, and ServiceProviderConfig says so. */
  | 'no filters'
  /** A filter with `or` is refused. */
  | 'no or'
  /** ETags, and If-Match is obeyed. */
  | 'versions'
  /** At most three operations and 2,000 bytes in a bulk request. */
  | 'small bulk'
  /** A bulk request is answered 413. */
  | 'bulk refused'
  /** Of a bulk request, only the first operation is answered. */
  | 'bulk cut short'
  /** Any change is refused, its password repeated in the message. */
  | 'repeats passwords'
  /** Every page is the first one. */
  | 'same page'
  /** The second page is empty. */
  | 'empty page'
  /** The total of the second page is one less. */
  | 'shrinking total'
  /** Pages of a web server instead of a service. */
  | 'web pages';
