// Credentials and presentations of both versions, by @digitalbazaar/vc.
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {cryptosuite as ecdsaRdfc2019} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as ecdsaJcs2019 from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as eddsaJcs2022 from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';

import {heldKey} from './keys.mjs';
import {loader} from './documents.mjs';

const cryptosuites = {
  'eddsa-jcs-2022': {sign: eddsaJcs2022.createSignCryptosuite, check: eddsaJcs2022.createVerifyCryptosuite},
  'eddsa-rdfc-2022': {sign: () => eddsaRdfc2022, check: () => eddsaRdfc2022},
  'ecdsa-jcs-2019': {sign: ecdsaJcs2019.createSignCryptosuite, check: ecdsaJcs2019.createVerifyCryptosuite},
  'ecdsa-rdfc-2019': {sign: () => ecdsaRdfc2019, check: () => ecdsaRdfc2019},
};

function signing(suite, did) {
  const {pair} = heldKey(did);
  if (suite === 'Ed25519Signature2020') {
    return new Ed25519Signature2020({signer: pair.signer()});
  }
  return new DataIntegrityProof({signer: pair.signer(), cryptosuite: cryptosuites[suite].sign()});
}

function checking(suite) {
  return suite === 'Ed25519Signature2020'
    ? new Ed25519Signature2020()
    : new DataIntegrityProof({cryptosuite: cryptosuites[suite].check()});
}

const known = () => [...Object.keys(cryptosuites), 'Ed25519Signature2020'].map(checking);

// {suite, did, credential}: signed with the key of `did`, which becomes its issuer.
async function issue({suite, did, credential}) {
  const signed = await vc.issue({
    credential: {...credential, issuer: withId(credential.issuer, did)},
    suite: signing(suite, did),
    documentLoader: loader(),
  });
  return {document: signed};
}

function withId(issuer, did) {
  return issuer && typeof issuer === 'object' ? {...issuer, id: did} : did;
}

// {credential, documents?: {url: document}}
async function verify({credential, documents}) {
  const documentLoader = loader(documents);
  const result = await vc.verifyCredential({
    credential,
    suite: known(),
    documentLoader,
    checkStatus: async ({credential}) => notSet(await checkStatus({credential, documentLoader, suite: known()})),
  });
  return verdict(result);
}

// The package says what a bit is, not what it means: one that is set is a refusal.
function notSet(result) {
  const set = (result.results ?? []).some(({status}) => status);
  return set ? {verified: false, error: new Error('a status bit is set')} : result;
}

// {suite, did, credentials, version: 1 | 2, challenge, domain}: a presentation whose holder is `did`.
async function present({suite, did, credentials, version, challenge, domain}) {
  const presentation = vc.createPresentation({verifiableCredential: credentials, holder: did, version});
  const signed = await vc.signPresentation({
    presentation,
    suite: signing(suite, did),
    challenge,
    domain,
    documentLoader: loader(),
  });
  return {document: signed};
}

// {presentation, challenge, domain}
async function verifyPresentation({presentation, challenge, domain, documents}) {
  const documentLoader = loader(documents);
  const result = await vc.verify({
    presentation,
    suite: known(),
    challenge,
    domain,
    documentLoader,
    checkStatus: async ({credential}) => notSet(await checkStatus({credential, documentLoader, suite: known()})),
  });
  return verdict(result);
}

function verdict(result) {
  return {verified: result.verified, why: result.verified ? undefined : reasons(result)};
}

function reasons(result) {
  const errors = [result.error, result.statusResult?.error, ...(result.error?.errors ?? [])];
  for (const one of result.credentialResults ?? []) {
    errors.push(one.error, ...(one.error?.errors ?? []));
  }
  return errors.filter(Boolean).map(error => error.message).join('; ') || JSON.stringify(result);
}

export const deeds = {issue, verify, present, 'verify-presentation': verifyPresentation};
