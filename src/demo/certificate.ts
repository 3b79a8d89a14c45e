import { join } from 'node:path';
import type { Scratch } from './scratch.ts';

/** PEM files of a certificate for this machine's loopback address and of the authority that signed it. */
export interface Certificate {
  ca: string;
  certificate: string;
  key: string;
}

/**
 * Makes a certificate authority and a certificate for `localhost` and 127.0.0.1 signed by it, with openssl, in a scratch
 * folder. Both are good for as long as a demo or a test may last: 30 days.
 */
export async function createCertificate(scratch: Scratch): Promise<Certificate> {
  const file = (name: string) => join(scratch.path, name);
  const [ca, caKey, certificate, key] = [file('ca.crt'), file('ca.key'), file('server.crt'), file('server.key')];
  const create = (subject: string, certificateFile: string, keyFile: string, ...more: string[]) => {
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', keyFile];
    const args = ['req', '-x509', ...newKey, '-subj', subject, '-days', '30', '-out', certificateFile, ...more];
    return scratch.run('openssl', args, { log: 'openssl.log' });
  };
  await create('/CN=Staffetta scratch authority', ca, caKey);
  const names = [
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  await create('/CN=localhost', certificate, key, '-CA', ca, '-CAkey', caKey, ...names);
  return { ca, certificate, key };
}
