// What one verification costs @digitalbazaar/vc: the same plain credential as in `suites`, from its text to the verdict,
// in CPU time of the whole process after warming up. The packages are those of tests/interop:
//
//     tests/interop/install && node vc/benches/peers/digitalbazaar.mjs
//
// It checks the proof and the dates. Whose word makes an issuer is no question of this package.
import {deeds as credentials} from '../../../tests/interop/peer/credentials.mjs';
import {deeds as keys} from '../../../tests/interop/peer/keys.mjs';

const suites = [
  ['eddsa-jcs-2022', 'Ed25519'],
  ['eddsa-rdfc-2022', 'Ed25519'],
  ['ecdsa-jcs-2019', 'P-256'],
  ['ecdsa-jcs-2019', 'P-384'],
  ['ecdsa-rdfc-2019', 'P-256'],
  ['ecdsa-rdfc-2019', 'P-384'],
];
const warmUp = 300;
const rounds = 9;
const times = 100;

const hour = 3_600_000;
const time = offset => new Date(Date.now() + offset).toISOString().replace(/\.\d+Z/, 'Z');

async function measure(text) {
  const run = async () => {
    const {verified, why} = await credentials.verify({credential: JSON.parse(text)});
    if (!verified) {
      throw new Error(why);
    }
  };
  for (let n = 0; n < warmUp; n++) {
    await run();
  }
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    for (let n = 0; n < times; n++) {
      await run();
    }
    const {user, system} = process.cpuUsage(start);
    samples.push((user + system) / times);
  }
  return samples.sort((a, b) => a - b)[(rounds - 1) / 2];
}

for (const [suite, kind] of suites) {
  const {did} = await keys.key({kind});
  const credential = {
    '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
    id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
    type: ['VerifiableCredential', 'AlumniCredential'],
    name: 'Alumni Credential',
    description: 'A minimum viable example of an Alumni Credential.',
    validFrom: time(-hour),
    validUntil: time(hour),
    credentialSubject: {id: 'did:example:abcdefgh', alumniOf: 'The School of Examples'},
  };
  const {document} = await credentials.issue({suite, did, credential});
  const micros = await measure(JSON.stringify(document));
  process.stdout.write(`  @digitalbazaar/vc, ${suite} ${kind}: ${micros.toFixed(0)} us\n`);
}
