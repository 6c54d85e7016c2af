// Keys of the peers, each known by its did:key (or did:jwk). Private keys stay in this process.
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';

// DID -> {kind, pair, method, jwk}
const held = new Map();

async function generate(kind) {
  return kind === 'Ed25519' ? Ed25519Multikey.generate() : EcdsaMultikey.generate({curve: kind});
}

// The members that a JWK of this kind must have, and no others.
async function privateJwk(pair, kind) {
  if (kind === 'Ed25519') {
    const {publicKey, secretKey} = await pair.export({publicKey: true, secretKey: true, raw: true});
    const [x, d] = [publicKey, secretKey.slice(0, 32)].map(bytes => Buffer.from(bytes).toString('base64url'));
    return {kty: 'OKP', crv: kind, x, d};
  }
  const {kty, crv, x, y, d} = await EcdsaMultikey.toJwk({keyPair: pair, secretKey: true});
  return {kty, crv, x, y, d};
}

// {kind: Ed25519 | P-256 | P-384, as: did:key (default) | did:jwk}
async function key({kind, as = 'did:key'}) {
  const pair = await generate(kind);
  const {publicKeyMultibase} = await pair.export({publicKey: true});
  const jwk = await privateJwk(pair, kind);
  const {d, ...publicJwk} = jwk;
  const name = as === 'did:jwk' ? Buffer.from(JSON.stringify(publicJwk)).toString('base64url') : publicKeyMultibase;
  const did = `${as}:${name}`;
  pair.controller = did;
  pair.id = as === 'did:jwk' ? `${did}#0` : `${did}#${publicKeyMultibase}`;
  held.set(did, {kind, pair, method: pair.id, jwk});
  return {did, method: pair.id, multibase: publicKeyMultibase, jwk: publicJwk};
}

export function heldKey(did) {
  const found = held.get(did);
  if (!found) {
    throw new Error(`the peer holds no key for ${did}`);
  }
  return found;
}

export const deeds = {key};
