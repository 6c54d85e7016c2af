// What others read from a did:key.
import * as veramo from '@veramo/did-provider-key';
import {Resolver} from 'did-resolver';
import {getResolver} from 'key-did-resolver';

import {didKey, packaged} from './documents.mjs';

const small = new Resolver(getResolver());
const agent = new Resolver(veramo.getDidKeyResolver());

// {did, by: did-method-key | key-did-resolver | veramo}
async function didDocument({did, by}) {
  if (by === 'did-method-key') {
    return {document: await didKey.get({did})};
  }
  const options = by === 'veramo' ? {publicKeyFormat: 'Multikey'} : {};
  const {didDocument, didResolutionMetadata} = await (by === 'veramo' ? agent : small).resolve(did, options);
  if (!didDocument) {
    throw new Error(didResolutionMetadata.message ?? didResolutionMetadata.error);
  }
  return {document: didDocument};
}

// The JSON-LD contexts that come with packages, for a comparison with those that Syndic bundles.
function context({url}) {
  const found = packaged.get(url);
  return found ? {document: found} : {error: `no package has ${url}`};
}

export const deeds = {'did-document': didDocument, context};
