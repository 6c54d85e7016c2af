// SD-JWT VC by @sd-jwt/sd-jwt-vc.
import {createHash, randomBytes} from 'node:crypto';

import {FlattenedSign, compactVerify, importJWK} from 'jose';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';

import {algorithms, signer} from './jose.mjs';

const settings = {
  hasher: (data, name) => new Uint8Array(createHash(name.replace('-', '')).update(Buffer.from(data)).digest()),
  hashAlg: 'sha-256',
  saltGenerator: length => randomBytes(length).toString('base64url'),
};

// The package wants a signature over `header.payload` and nothing of keys.
async function signerOf(did) {
  const {alg, key, kid} = await signer(did);
  const sign = async input => {
    const [header, payload] = input.split('.');
    const protectedHeader = JSON.parse(Buffer.from(header, 'base64url'));
    const bytes = Buffer.from(payload, 'base64url');
    const signed = await new FlattenedSign(bytes).setProtectedHeader(protectedHeader).sign(key);
    if (`${signed.protected}.${signed.payload}` !== input) {
      throw new Error('the header was written another way than it was read');
    }
    return signed.signature;
  };
  return {alg, kid, sign};
}

async function verifierOf(jwk) {
  const key = await importJWK(jwk, algorithms[jwk.crv]);
  return async (input, signature) => {
    try {
      await compactVerify(`${input}.${signature}`, key);
      return true;
    } catch {
      return false;
    }
  };
}

// {did, payload, frame} -> {sdJwt}
async function issue({did, payload, frame}) {
  const {alg, kid, sign} = await signerOf(did);
  const instance = new SDJwtVcInstance({...settings, signer: sign, signAlg: alg});
  return {sdJwt: await instance.issue(payload, frame, {header: {kid}})};
}

// {sdJwt, reveal, holder?, audience, nonce} -> {sdJwt}: with key binding if the holder's DID is given
async function present({sdJwt, reveal, holder, audience, nonce}) {
  if (!holder) {
    return {sdJwt: await new SDJwtVcInstance(settings).present(sdJwt, reveal)};
  }
  const {alg, sign} = await signerOf(holder);
  const instance = new SDJwtVcInstance({...settings, kbSigner: sign, kbSignAlg: alg});
  const payload = {iat: Math.floor(Date.now() / 1000), aud: audience, nonce};
  return {sdJwt: await instance.present(sdJwt, reveal, {kb: {payload}})};
}

// {sdJwt, jwk, holderJwk?, nonce?} -> {verified, payload}
async function verify({sdJwt, jwk, holderJwk, nonce}) {
  const instance = new SDJwtVcInstance({
    ...settings,
    verifier: await verifierOf(jwk),
    ...(holderJwk ? {kbVerifier: await verifierOf(holderJwk)} : {}),
  });
  try {
    const {payload} = await instance.verify(sdJwt, holderJwk ? {keyBindingNonce: nonce} : {});
    return {verified: true, payload};
  } catch (error) {
    return {verified: false, why: error.message};
  }
}

export const deeds = {'sd-jwt-issue': issue, 'sd-jwt-present': present, 'sd-jwt-verify': verify};
