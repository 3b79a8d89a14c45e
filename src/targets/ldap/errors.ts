/** What an LDAP result or a broken connection means for Staffetta (the kinds of `TargetError`), worded for people. */
import { TargetError, type TargetErrorKind } from '../target.ts';

/** What was asked of the server. */
export type Operation = 'bind' | 'search' | 'add' | 'modify' | 'rename' | 'delete' | 'password' | 'startTls';

/** A result other than success (RFC 4511 §4.1.9). */
export interface Refusal {
  readonly status: number;
  readonly errorMessage: string;
}

export interface Circumstances {
  readonly operation: Operation;
  /** The entry in question. */
  readonly dn: string;
  /** Texts that must not appear in the message, wherever they come from. */
  readonly secrets?: readonly string[];
  /** An earlier step of the same change was made already. */
  readonly unsure?: boolean;
}

/** A refusal that callers tell apart by its result code. */
export class LdapError extends TargetError {
  readonly code: number;

  constructor(kind: TargetErrorKind, message: string, code: number, unsure: boolean) {
    super(kind, message, { unsure });
    this.code = code;
  }
}

const names: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  18: 'inappropriateMatching',
  19: 'constraintViolation',
  20: 'attributeOrValueExists',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  64: 'namingViolation',
  65: 'objectClassViolation',
  66: 'notAllowedOnNonLeaf',
  67: 'notAllowedOnRDN',
  68: 'entryAlreadyExists',
  69: 'objectClassModsProhibited',
  71: 'affectsMultipleDSAs',
  80: 'other',
};

const advice: Readonly<Record<number, string>> = {
  4: 'Raise the size limit of the account that Staffetta binds as',
  7: 'Check how the server lets accounts bind',
  8: 'Use ldaps:// or startTls',
  10: 'Give the URL of the server that holds this entry and can be written to',
  11: 'Raise the limits of the account that Staffetta binds as, or index the attributes that are searched for',
  13: 'Use ldaps:// or startTls',
  17: 'Add the schema to the server or take the attribute out of the mapping',
  19: 'Correct the value at its source',
  21: 'Correct the value at its source',
  34: 'Correct the dn template or the columns in it',
  48: 'Check the bind DN and password',
  49: 'Check the bind DN and password',
  50: 'Grant the account that Staffetta binds as this right',
  64: 'Check the attribute that names the entry',
  65: 'Check objectClass and the attributes that it requires and allows',
  66: 'Remove or move the entries below it first',
  67: 'The attribute that names the entry must hold the value that stands in its DN',
  69: 'The structural object class of an entry cannot change: remove the entry so that it is created anew',
  80: 'The log of the server says more; OpenLDAP has no room for an RDN of more than about 240 bytes',
};

const verbs: Readonly<Record<Operation, string>> = {
  bind: 'binding as',
  search: 'searching',
  add: 'adding',
  modify: 'modifying',
  rename: 'renaming',
  delete: 'deleting',
  password: 'setting the password of',
  startTls: 'starting TLS at',
};

/** The error that a refusal is (FACTS on LDAP results). */
export function refused(refusal: Refusal, circumstances: Circumstances): LdapError {
  const { status } = refusal;
  const diagnostic = hide(refusal.errorMessage.replaceAll('\0', '').trim(), circumstances.secrets ?? []);
  const said = diagnostic === '' ? '' : `: ${diagnostic}`;
  const what = `${verbs[circumstances.operation]} ${circumstances.dn === '' ? 'the root DSE' : circumstances.dn}`;
  const todo = advice[status] === undefined ? '' : `. ${advice[status]}`;
  const message = `${what} was refused, ${names[status] ?? 'result'} (${status})${said}${todo}`;
  return new LdapError(kindOf(refusal, circumstances.operation), message, status, circumstances.unsure ?? false);
}

function kindOf({ status, errorMessage }: Refusal, operation: Operation): TargetErrorKind {
  switch (status) {
    case 32:
      return noSuchObject[operation];
    case 16:
    case 20:
      return operation === 'modify' ? 'converged' : 'rejected';
    case 68:
      return 'exists';
    case 19:
      return /already exists/i.test(errorMessage) ? 'exists' : 'rejected';
    case 53:
      if (/already exists/i.test(errorMessage)) return 'exists';
      // Active Directory: ERROR_PASSWORD_RESTRICTION, the password policy.
      return /0*52D\b/i.test(errorMessage) ? 'rejected' : 'unknown';
    case 3:
    case 51:
    case 52:
    case 81:
    case 91:
      return 'unavailable';
    case 7:
    case 8:
    case 10:
    case 13:
    case 48:
    case 49:
      return 'misconfigured';
    case 17:
    case 21:
    case 34:
    case 64:
    case 65:
    case 66:
    case 67:
    case 69:
      return 'rejected';
    case 50:
      return operation === 'bind' ? 'misconfigured' : 'one-sided';
    default:
      return operation === 'startTls' ? 'misconfigured' : 'unknown';
  }
}

/** 32: of an entry to be changed, of its parent, or of an account. */
const noSuchObject: Readonly<Record<Operation, TargetErrorKind>> = {
  bind: 'misconfigured',
  search: 'gone',
  add: 'dependency',
  modify: 'gone',
  rename: 'dependency',
  delete: 'converged',
  password: 'gone',
  startTls: 'misconfigured',
};

/** Takes secrets out of what a server said: the longest first, lest one that is a part of another leaves the rest of it. */
function hide(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .sort((left, right) => right.length - left.length)
    .reduce((hidden, secret) => hidden.replaceAll(secret, '********'), text);
}

/** The error that a connection died of. `unsure`: a change had been sent over it. */
export function broken(error: unknown, server: string, unsure: boolean): TargetError {
  if (error instanceof TargetError) return unsure ? new TargetError(error.kind, error.message, { unsure }) : error;
  const { code, reason } = describe(error);
  if (isCertificate(code)) {
    const message = `the TLS connection to ${server} cannot be trusted: ${reason}. Check tls.ca, tls.serverName and the server's certificate`;
    return new TargetError('misconfigured', message, { unsure, cause: error });
  }
  return new TargetError('unavailable', `no connection to ${server}: ${reason}`, { unsure, cause: error });
}

/** The error of a caller who would not wait any longer. */
export function givenUp(server: string, unsure: boolean): TargetError {
  return new TargetError('unavailable', `the request to ${server} was given up before it was answered`, { unsure });
}

function describe(error: unknown): { code: string; reason: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  if (!(error instanceof Error)) return { code: '', reason: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, reason: error.message || code || error.name };
}

/** Node's codes for a certificate that does not verify, and OpenSSL's for two sides that cannot agree on TLS. */
function isCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE|^ERR_SSL|^ERR_OSSL|^EPROTO$|CRL_/.test(
    code,
  );
}
