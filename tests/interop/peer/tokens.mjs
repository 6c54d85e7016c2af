// Access tokens as a service checks them with jose, and DPoP proofs as a client makes them with it.
import {SignJWT, calculateJwkThumbprint, createLocalJWKSet, jwtVerify} from 'jose';

import {signer} from './jose.mjs';
import {heldKey} from './keys.mjs';

// {jwt, jwks, issuer, audience} -> {verified, payload}
async function verify({jwt, jwks, issuer, audience}) {
  try {
    const options = {issuer, audience, typ: 'at+jwt', requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti', 'cnf']};
    const {payload} = await jwtVerify(jwt, createLocalJWKSet(jwks), options);
    return {verified: true, payload};
  } catch (error) {
    return {verified: false, why: error.message};
  }
}

// {did, claims} -> {jwt, thumbprint}
async function prove({did, claims}) {
  const {alg, key} = await signer(did);
  const {d, ...jwk} = heldKey(did).jwk;
  const jwt = await new SignJWT(claims).setProtectedHeader({alg, typ: 'dpop+jwt', jwk}).sign(key);
  return {jwt, thumbprint: await calculateJwkThumbprint(jwk)};
}

export const deeds = {'token-verify': verify, 'dpop-prove': prove};
