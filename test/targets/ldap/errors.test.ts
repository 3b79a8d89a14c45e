import { describe, expect, test } from 'vitest';
import { broken, type Operation, refused } from '../../../src/targets/ldap/errors.ts';
import { TargetError, type TargetErrorKind } from '../../../src/targets/target.ts';

const refusal = (status: number, operation: Operation, errorMessage = '', more: object = {}) =>
  refused({ status, errorMessage }, { operation, dn: 'uid=a,dc=x', ...more });
const failure = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('what a server refused', () => {
  test.each<[number, Operation, TargetErrorKind]>([
    // 32: of an account, of an entry, of its parent.
    [32, 'bind', 'misconfigured'],
    [32, 'search', 'gone'],
    [32, 'add', 'dependency'],
    [32, 'modify', 'gone'],
    [32, 'rename', 'dependency'],
    [32, 'delete', 'converged'],
    // 16 and 20: a change of single values may have been made before; a new entry with a value twice is wrong.
    [16, 'modify', 'converged'],
    [20, 'modify', 'converged'],
    [20, 'add', 'rejected'],
    // 50: of everything, or of one entry.
    [50, 'bind', 'misconfigured'],
    [50, 'modify', 'one-sided'],
    // How we come.
    [7, 'bind', 'misconfigured'],
    [8, 'bind', 'misconfigured'],
    [13, 'search', 'misconfigured'],
    [48, 'bind', 'misconfigured'],
    [2, 'startTls', 'misconfigured'],
    [52, 'startTls', 'unavailable'],
    // What passes.
    [3, 'search', 'unavailable'],
    [51, 'modify', 'unavailable'],
    [2, 'modify', 'unknown'],
    [71, 'rename', 'unknown'],
    // What a person has to mend.
    [34, 'add', 'rejected'],
    [64, 'add', 'rejected'],
    [68, 'rename', 'exists'],
    [69, 'modify', 'rejected'],
  ])('with %i on %s means %s', (status, operation, kind) => {
    expect(refusal(status, operation)).toMatchObject({ kind, code: status, unsure: false });
  });

  test('is said with what was asked, what it is called, what the server said, and what to do', () => {
    expect(refusal(50, 'modify', 'no write access to parent\0').message).toBe(
      'modifying uid=a,dc=x was refused, insufficientAccessRights (50): no write access to parent. Grant the account that Staffetta binds as this right',
    );
    expect(refusal(123, 'delete').message).toBe('deleting uid=a,dc=x was refused, result (123)');
    expect(refused({ status: 52, errorMessage: '' }, { operation: 'search', dn: '' }).message).toContain(
      'searching the root DSE was refused',
    );
  });

  test('is said without the secrets in it, also where one is a part of another', () => {
    const secrets = ['', 'rose', 'rosebud-1941'];
    const { message } = refusal(19, 'modify', 'rosebud-1941 was used before, like rose', { secrets });
    expect(message).toContain('******** was used before, like ********');
    expect(message).not.toContain('bud-1941');
  });

  test('leaves a change half made, where a step of it was made before', () => {
    expect(refusal(65, 'modify', '', { unsure: true })).toMatchObject({ kind: 'rejected', unsure: true });
  });
});

describe('what a connection died of', () => {
  test.each<[string, unknown, TargetErrorKind, string]>([
    [
      'nobody listens',
      failure('ECONNREFUSED', 'connect ECONNREFUSED'),
      'unavailable',
      'no connection to ldap://a: connect ECONNREFUSED',
    ],
    [
      'nobody listens at any of its addresses',
      new AggregateError([failure('ECONNREFUSED', 'at ::1')], ''),
      'unavailable',
      'at ::1',
    ],
    ['it is unreachable, in no words', failure('EHOSTUNREACH'), 'unavailable', 'EHOSTUNREACH'],
    ['nobody says why', new AggregateError([], ''), 'unavailable', 'AggregateError'],
    ['something else than an error', 'gone', 'unavailable', 'gone'],
    [
      'a certificate that has expired',
      failure('CERT_HAS_EXPIRED', 'certificate has expired'),
      'misconfigured',
      'cannot be trusted: certificate has expired',
    ],
    ['an unknown authority', failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'misconfigured', 'Check tls.ca'],
    ['the name of another', failure('ERR_TLS_CERT_ALTNAME_INVALID'), 'misconfigured', 'tls.serverName'],
    ['no common version of TLS', failure('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'misconfigured', 'ldap://a'],
  ])('%s', (_, error, kind, message) => {
    for (const unsure of [true, false]) {
      expect(broken(error, 'ldap://a', unsure)).toMatchObject({
        kind,
        unsure,
        message: expect.stringContaining(message),
      });
    }
  });

  test('if we ended it ourselves, is told as it is; what had been sent is in doubt', () => {
    const error = new TargetError('misconfigured', 'the password is empty');
    expect(broken(error, 'ldap://a', false)).toBe(error);
    expect(broken(error, 'ldap://a', true)).toMatchObject({
      kind: 'misconfigured',
      message: error.message,
      unsure: true,
    });
  });
});
