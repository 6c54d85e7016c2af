// Status lists: the W3C's by @digitalbazaar/vc-bitstring-status-list, the IETF's by @sd-jwt/jwt-status-list.
import {createCredential, createList, decodeList} from '@digitalbazaar/vc-bitstring-status-list';
import {StatusList} from '@sd-jwt/jwt-status-list';

// {encodedList, length} -> {set: [index]}
async function decode({encodedList}) {
  const list = await decodeList({encodedList});
  const set = [];
  for (let index = 0; index < list.length; index++) {
    if (list.getStatus(index)) {
      set.push(index);
    }
  }
  return {length: list.length, set};
}

// {length, set: [index], url, purpose} -> {credential (unsigned)}
async function encode({length, set, url, purpose}) {
  const list = await createList({length});
  for (const index of set) {
    list.setStatus(index, true);
  }
  return {credential: await createCredential({id: url, list, statusPurpose: purpose})};
}

// {lst, bits} -> {length, set: [[index, status]]}
function decodeToken({lst, bits}) {
  const statuses = StatusList.decompressStatusList(lst, bits).statusList;
  return {length: statuses.length, set: statuses.flatMap((status, index) => (status ? [[index, status]] : []))};
}

// {length, bits, set: [[index, status]]} -> {lst}
function encodeToken({length, bits, set}) {
  const list = new StatusList(new Array(length).fill(0), bits);
  for (const [index, status] of set) {
    list.setStatus(index, status);
  }
  return {lst: list.compressStatusList()};
}

export const deeds = {
  'status-list-decode': decode,
  'status-list-encode': encode,
  'token-status-list-decode': decodeToken,
  'token-status-list-encode': encodeToken,
};
