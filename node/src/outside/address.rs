//! Which addresses this node connects to when another party named the host. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses: `10.0.0.0/8`, `fd12::/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    first: IpAddr,
    bits: u8,
}

/// The text is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no block of addresses such as 10.0.0.0/8, with no bit set after its length")]
pub struct BlockError(String);

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Block {
    Block {
        first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        bits,
    }
}

const fn v6(a: u16, b: u16, c: u16, bits: u8) -> Block {
    Block {
        first: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
        bits,
    }
}

/// Never connected to, whatever the configuration says: addresses at which clouds hand out credentials, addresses that
/// stand for an IPv4 address and so for anything, and addresses that are no host's.
const NEVER: &[Block] = &[
    v4(0, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16), // link-local; 169.254.169.254 and 169.254.170.2 hand out credentials
    v4(100, 100, 100, 200, 32), // metadata of Alibaba Cloud
    v4(168, 63, 129, 16, 32), // the host's agent of Azure
    v4(192, 0, 0, 192, 32), // metadata of Oracle Cloud
    v4(224, 0, 0, 0, 4),    // multicast
    v4(255, 255, 255, 255, 32), // broadcast
    v6(0xfd00, 0x0ec2, 0, 32), // metadata of AWS: fd00:ec2::254
    v6(0xfe80, 0, 0, 10),   // link-local
    v6(0xfec0, 0, 0, 10),   // site-local, long withdrawn
    v6(0xff00, 0, 0, 8),    // multicast
    v6(0x0064, 0xff9b, 0, 96), // NAT64
    v6(0x0064, 0xff9b, 1, 48), // NAT64 of a local network
    v6(0x2002, 0, 0, 16),   // 6to4
    v6(0x2001, 0, 0, 32),   // Teredo
];

/// Not on the public internet (IANA special-purpose address registries); connected to only if the configuration names
/// them.
const NOT_PUBLIC: &[Block] = &[
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10), // carrier-grade NAT
    v4(127, 0, 0, 0, 8),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(240, 0, 0, 0, 4),
    v6(0x2001, 0, 0, 23),
    v6(0x2001, 0x0db8, 0, 32),
    v6(0x3fff, 0, 0, 20),
];

/// All that is handed out for the public internet in IPv6 is in here.
const GLOBAL_V6: Block = v6(0x2000, 0, 0, 3);

/// Whether this node connects to an address. `allowed` is what the configuration adds to the public internet.
#[must_use]
pub fn is_reachable(address: IpAddr, allowed: &[Block]) -> bool {
    let within = |blocks: &[Block]| blocks.iter().any(|block| block.contains(address));
    if within(NEVER) || stands_for_v4(address) {
        return false;
    }
    let public = match address {
        IpAddr::V4(_) => !within(NOT_PUBLIC),
        IpAddr::V6(_) => GLOBAL_V6.contains(address) && !within(NOT_PUBLIC),
    };
    public || within(allowed)
}

/// `::ffff:a.b.c.d`, and `::a.b.c.d` but for loopback.
fn stands_for_v4(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => {
            let zeros = address.segments().iter().take(5).all(|segment| *segment == 0);
            zeros && address != Ipv6Addr::LOCALHOST
        }
    }
}

impl Block {
    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => (first.to_bits() ^ address.to_bits()) & self.mask_v4() == 0,
            (IpAddr::V6(first), IpAddr::V6(address)) => (first.to_bits() ^ address.to_bits()) & self.mask_v6() == 0,
            _ => false,
        }
    }

    fn mask_v4(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0)
    }

    fn mask_v6(&self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0)
    }
}

impl FromStr for Block {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self, BlockError> {
        let wrong = || BlockError(text.to_owned());
        let (first, length) = text.split_once('/').ok_or_else(wrong)?;
        let first: IpAddr = first.parse().map_err(|_| wrong())?;
        let bits: u8 = length.parse().map_err(|_| wrong())?;
        let widest = if first.is_ipv4() { 32 } else { 128 };
        if bits > widest {
            return Err(wrong());
        }
        let block = Self { first, bits };
        let clean = match first {
            IpAddr::V4(first) => first.to_bits() & !block.mask_v4() == 0,
            IpAddr::V6(first) => first.to_bits() & !block.mask_v6() == 0,
        };
        if clean { Ok(block) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn reachable(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<Block> = allowed.iter().map(|block| block.parse().unwrap()).collect();
        is_reachable(address.parse().unwrap(), &allowed)
    }

    #[test]
    fn the_public_internet_is_reachable() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(reachable(address, &[]), "{address}");
        }
    }

    #[test]
    fn what_is_not_public_is_reachable_only_if_named() {
        for (address, block) in [
            ("127.0.0.1", "127.0.0.0/8"),
            ("127.255.255.254", "127.0.0.0/8"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("172.16.0.1", "172.16.0.0/12"),
            ("172.31.255.255", "172.16.0.0/12"),
            ("192.168.1.1", "192.168.0.0/16"),
            ("100.64.0.1", "100.64.0.0/10"),
            ("198.18.0.1", "198.18.0.0/15"),
            ("192.0.2.1", "192.0.2.0/24"),
            ("203.0.113.9", "203.0.113.0/24"),
            ("240.0.0.1", "240.0.0.0/4"),
            ("::1", "::1/128"),
            ("fd12::1", "fc00::/7"),
            ("2001:db8::1", "2001:db8::/32"),
            ("3fff::1", "3fff::/20"),
            ("2001:20::1", "2001:20::/28"),
        ] {
            assert!(!reachable(address, &[]), "{address}");
            assert!(!reachable(address, &["11.0.0.0/8"]), "{address}");
            assert!(reachable(address, &[block]), "{address} in {block}");
        }
    }

    #[test]
    fn some_addresses_are_never_reachable() {
        let all = ["0.0.0.0/0", "::/0"];
        assert!(reachable("127.0.0.1", &all) && reachable("::1", &all) && reachable("fd12::1", &all));
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::7f00:2",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::808:808",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!reachable(address, &all), "{address}");
        }
    }

    #[test]
    fn blocks_are_read_strictly() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "::/0", "fd00::/8", "::1/128"] {
            assert!(text.parse::<Block>().is_ok(), "{text}");
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10/8",
            "::/129",
            "fd00::1/8",
            "10.0.0.0/-1",
            "a/8",
            "010.0.0.0/8",
        ] {
            assert!(text.parse::<Block>().is_err(), "{text}");
        }
    }
}
