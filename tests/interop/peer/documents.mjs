// The only documents there are: contexts that come with packages, and
// what a did:key says of itself. A request may bring further ones (a status list, for instance).

import {contexts as credentialContexts} from '@digitalbazaar/credentials-context';
import dataIntegrity from '@digitalbazaar/data-integrity-context';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import ed25519Signature2020 from 'ed25519-signature-2020-context';
import multikey from '@digitalbazaar/multikey-context';
import * as statusList from '@digitalbazaar/vc-bitstring-status-list-context';
import {driver} from '@digitalbazaar/did-method-key';

export const packaged = new Map([
  ...credentialContexts,
  ...dataIntegrity.contexts,
  ...ed25519Signature2020.contexts,
  ...multikey.contexts,
  ...statusList.contexts,
]);

// The examples' context of VCDM 2.0: whatever is not defined elsewhere is a term of the examples.
packaged.set('https://www.w3.org/ns/credentials/examples/v2', {
  '@context': {'@vocab': 'https://www.w3.org/ns/credentials/examples#'},
});

export const didKey = driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
didKey.use({multibaseMultikeyHeader: 'zDna', fromMultibase: EcdsaMultikey.from});
didKey.use({multibaseMultikeyHeader: 'z82L', fromMultibase: EcdsaMultikey.from});

export function loader(further = {}) {
  return async url => {
    const found = further[url] ?? packaged.get(url);
    if (found) {
      return {contextUrl: null, documentUrl: url, document: structuredClone(found)};
    }
    if (url.startsWith('did:key:')) {
      return {contextUrl: null, documentUrl: url, document: await didKey.get({url})};
    }
    throw new Error(`not among the documents that are known here: ${url}`);
  };
}
