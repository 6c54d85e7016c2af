"""Checks an organization's log from its files, by the standards and without a line of Syndic's own code.

    check_log.py DIR --charter charter.json [--earlier CHECKPOINT]

The charter is a first version as nodes serve it. Rotated log keys are not known here: a log signed by one is refused.

RFC 6962 and RFC 9162 (tree, inclusion and consistency proofs), C2SP signed-note, tlog-checkpoint, tlog-tiles and
tlog-cosignature. Only the standard library and `cryptography`, for Ed25519. Prints one JSON document; exit status 0 if
the log holds, 3 if it does not.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519, COSIGNATURE = 0x01, 0x04
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Refused(Exception):
    """The log does not hold, and why."""


# Keys and notes.


def multikey(text):
    """The 32 bytes of an Ed25519 key in Multikey form: z, base58btc of ed 01 and the key."""
    number = 0
    for letter in text[1:]:
        number = number * 58 + ALPHABET.index(letter)
    data = number.to_bytes(34, "big")
    if text[0] != "z" or data[:2] != b"\xed\x01":
        raise Refused(f"{text} is no Ed25519 key")
    return data[2:]


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def verify(key, message, signature, what):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Refused(f"{what} does not verify") from None


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused(f"{text!r} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Refused(f"{text!r} is not the one spelling of its base64")
    return data


class Checkpoint:
    """A signed note (C2SP signed-note) whose text is a checkpoint (C2SP tlog-checkpoint)."""

    def __init__(self, data):
        try:
            note = data.decode()
        except UnicodeDecodeError:
            raise Refused("the checkpoint is not UTF-8") from None
        if any(c < " " and c != "\n" for c in note) or "\n\n" not in note or not note.endswith("\n"):
            raise Refused("the checkpoint is not a signed note")
        text, lines = note.rsplit("\n\n", 1)
        self.text = text + "\n"
        self.lines = {}
        for line in lines[:-1].split("\n"):
            match = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
            if not match:
                raise Refused(f"{line!r} is no signature line")
            name, signature = match[1], unbase64(match[2])
            if len(signature) < 5 or (name, signature[:4]) in self.lines:
                raise Refused(f"{line!r} is no signature line, or stands twice")
            self.lines[name, signature[:4]] = signature[4:]
        match = re.fullmatch("(\\S+)\n(0|[1-9][0-9]*)\n(\\S+)\n", self.text)
        if not match:
            raise Refused("the text of the checkpoint is not origin, size and root")
        self.origin, self.size, self.root = match[1], int(match[2]), unbase64(match[3])

    def signature(self, name, kind, key):
        return self.lines.get((name, key_id(name, kind, key)))

    def cosigned(self, name, key):
        """The time of the cosignature by this key (C2SP tlog-cosignature), or None."""
        line = self.signature(name, COSIGNATURE, key)
        if line is None:
            return None
        if len(line) != 72:
            raise Refused(f"the cosignature by {name} has the wrong length")
        time = int.from_bytes(line[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{self.text}".encode()
        verify(key, message, line[8:], f"the cosignature by {name}")
        return time


# The tree (RFC 6962 section 2.1).


def leaf(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count):
    """The largest power of two smaller than count."""
    return 1 << ((count - 1).bit_length() - 1)


class Tree:
    """Hashes of subtrees, from the tiles of a folder (C2SP tlog-tiles); each tile is read once."""

    def __init__(self, folder, size):
        self.folder, self.size, self.tiles = folder, size, {}

    def tile(self, level, index):
        if (level, index) not in self.tiles:
            width = min(256, (self.size >> (8 * level)) - 256 * index)
            data = read(self.folder / "tile" / str(level) / tile_name(index, width))
            if len(data) != 32 * width:
                raise Refused(f"tile {level}/{index} has the wrong length")
            self.tiles[level, index] = [data[at : at + 32] for at in range(0, len(data), 32)]
        return self.tiles[level, index]

    def hash(self, start, count):
        """Root over entries start to start + count; start is a multiple of every power of two up to count."""
        if count == 0:
            return hashlib.sha256(b"").digest()
        if count & (count - 1) == 0:
            level = (count.bit_length() - 1) // 8
            width = count >> (8 * level)
            if width == 1:
                return self.tile(level, (start >> (8 * level)) // 256)[(start >> (8 * level)) % 256]
            half = count // 2
        else:
            half = split(count)
        return node(self.hash(start, half), self.hash(start + half, count - half))

    def inclusion(self, index, start, count):
        """PATH(index, D[start:start + count]), RFC 6962 section 2.1.1."""
        if count == 1:
            return []
        half = split(count)
        if index < half:
            return self.inclusion(index, start, half) + [self.hash(start + half, count - half)]
        return self.inclusion(index - half, start + half, count - half) + [self.hash(start, half)]

    def consistency(self, first, start, count, whole):
        """SUBPROOF(first, D[start:start + count], whole), RFC 6962 section 2.1.2."""
        if first == count:
            return [] if whole else [self.hash(start, count)]
        half = split(count)
        if first <= half:
            return self.consistency(first, start, half, whole) + [self.hash(start + half, count - half)]
        return self.consistency(first - half, start + half, count - half, False) + [self.hash(start, half)]


def check_inclusion(leaf_hash, index, size, proof, root):
    """RFC 9162 section 2.1.3.2."""
    number, last, result = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            result = node(sibling, result)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            result = node(result, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and result == root


def check_consistency(first, first_root, second, second_root, proof):
    """RFC 9162 section 2.1.4.2."""
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == hashlib.sha256(b"").digest()
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old, new = node(sibling, old), node(sibling, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node(new, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


# Files.


def read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None


def tile_name(index, width):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + ("" if width == 256 else f".p/{width}")


def entries(folder, size):
    """All entries of a log, from its bundles."""
    found = []
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        data = read(folder / "tile" / "entries" / tile_name(index, width))
        at = 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(data) < at + 2 or len(entry) != length:
                raise Refused(f"bundle {index} is too short")
            found.append(entry)
            at += 2 + length
        if at != len(data):
            raise Refused(f"bundle {index} is too long")
    return found


def check(folder, charter, consortium, earlier):
    checkpoint = Checkpoint(read(folder / "checkpoint"))
    members = {f"syndic/{consortium}/{member['did']}": multikey(member["logKey"]) for member in charter["members"]}
    if checkpoint.origin not in members:
        raise Refused(f"{checkpoint.origin} is no log of a member")
    key = members[checkpoint.origin]
    plain = checkpoint.signature(checkpoint.origin, ED25519, key)
    if plain is None:
        raise Refused("the log's key did not sign")
    verify(key, checkpoint.text.encode(), plain, "the signature of the log's key")
    time = checkpoint.cosigned(checkpoint.origin, key)
    if time is None:
        raise Refused("the log's key did not cosign")
    others = {name: other for name, other in members.items() if name != checkpoint.origin}
    witnesses = [name for name, other in others.items() if checkpoint.cosigned(name, other) is not None]

    size = checkpoint.size
    bodies = entries(folder, size)
    tree = Tree(folder, size)
    # The tiles say what the entries say, at every level.
    hashes, level = [leaf(entry) for entry in bodies], 0
    while hashes:
        for index in range((len(hashes) + 255) // 256):
            if tree.tile(level, index) != hashes[256 * index : 256 * index + 256]:
                raise Refused(f"tile {level}/{index} does not hold the hashes of the entries")
        above = []
        for at in range(0, len(hashes) - 255, 256):
            group = hashes[at : at + 256]
            while len(group) > 1:
                group = [node(left, right) for left, right in zip(group[::2], group[1::2])]
            above.extend(group)
        hashes, level = above, level + 1
    if tree.hash(0, size) != checkpoint.root:
        raise Refused("the root is not the one that was signed")
    kinds = {}
    for index, entry in enumerate(bodies):
        proof = tree.inclusion(index, 0, size)
        if not check_inclusion(leaf(entry), index, size, proof, checkpoint.root):
            raise Refused(f"entry {index} is not included")
        if check_inclusion(leaf(entry + b" "), index, size, proof, checkpoint.root):
            raise Refused("an inclusion proof shows what is not there")
        try:
            kind = json.loads(entry)["kind"]
        except (ValueError, TypeError, KeyError):
            raise Refused(f"entry {index} is no statement") from None
        kinds[kind] = kinds.get(kind, 0) + 1
    if earlier is not None:
        before = Checkpoint(earlier)
        proof = tree.consistency(before.size, 0, size, True) if 0 < before.size < size else []
        same_log = before.origin == checkpoint.origin and before.size <= size
        if not same_log or not check_consistency(before.size, before.root, size, checkpoint.root, proof):
            raise Refused("the log does not continue the earlier checkpoint")
    return {
        "verified": True,
        "origin": checkpoint.origin,
        "size": size,
        "root": base64.b64encode(checkpoint.root).decode(),
        "statements": kinds,
        "time": datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cosigned": sorted(name.rsplit("/", 1)[1] for name in witnesses),
    }


def consortium_of(data):
    """z, base58btc of 12 20 and the SHA-256 of the charter's canonical bytes, which is how it is served."""
    number = int.from_bytes(b"\x12\x20" + hashlib.sha256(data).digest(), "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "z" + text


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--charter", type=pathlib.Path, required=True)
    arguments.add_argument("--earlier", type=pathlib.Path)
    asked = arguments.parse_args()
    try:
        data = read(asked.charter)
        earlier = read(asked.earlier) if asked.earlier else None
        result = check(asked.folder, json.loads(data), consortium_of(data), earlier)
    except Refused as refused:
        print(json.dumps({"verified": False, "why": str(refused)}))
        return 3
    print(json.dumps(result))
    return 0


sys.exit(main())
