//! Address ranges in their one canonical spelling.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address range (RFC 4632, RFC 4291), such as `10.0.0.0/8` or `2001:db8::/32`.
///
/// There is one spelling for each: the network's address with no host bits
/// set, a slash, the length without leading zeros, IPv6 as RFC 5952 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    length: u8,
}

/// The text is not an address range in its canonical spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address range in canonical spelling, such as 10.0.0.0/8")]
pub struct CidrError;

impl Cidr {
    /// The range of this length around an address.
    ///
    /// Lengths past the address's own are cut to it.
    #[must_use]
    pub fn around(address: IpAddr, length: u8) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let length = length.min(32);
                let mask = u32::MAX
                    .checked_shl(u32::from(32 - length))
                    .unwrap_or_default();
                Self {
                    network: Ipv4Addr::from_bits(v4.to_bits() & mask).into(),
                    length,
                }
            }
            IpAddr::V6(v6) => {
                let length = length.min(128);
                let mask = u128::MAX
                    .checked_shl(u32::from(128 - length))
                    .unwrap_or_default();
                Self {
                    network: Ipv6Addr::from_bits(v6.to_bits() & mask).into(),
                    length,
                }
            }
        }
    }

    /// Its first address.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.network
    }

    /// The first address after it; none if it goes to the last one there is.
    #[must_use]
    pub fn next(&self) -> Option<IpAddr> {
        Some(match self.network {
            IpAddr::V4(v4) => {
                let size = 1_u64.checked_shl(u32::from(32 - self.length))?;
                let next = u64::from(v4.to_bits()).checked_add(size)?;
                Ipv4Addr::from_bits(u32::try_from(next).ok()?).into()
            }
            IpAddr::V6(v6) => {
                let size = 1_u128.checked_shl(u32::from(128 - self.length))?;
                Ipv6Addr::from_bits(v6.to_bits().checked_add(size)?).into()
            }
        })
    }

    /// Whether the address lies in it. IPv4 written as IPv6 (`::ffff:…`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4()
            && Self::around(address, self.length).network == self.network
    }
}

/// All ranges that contain the address, the widest first: what a verifier states as `address_prefix`.
pub fn containing_prefixes(address: IpAddr) -> impl Iterator<Item = Cidr> {
    let address = address.to_canonical();
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (0..=longest).map(move |length| Cidr::around(address, length))
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.length)
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, length) = text.split_once('/').ok_or(CidrError)?;
        let network: IpAddr = address.parse().map_err(|_| CidrError)?;
        let digits = length.bytes().all(|b| b.is_ascii_digit());
        if !digits || (length.len() > 1 && length.starts_with('0')) {
            return Err(CidrError);
        }
        let length: u8 = length.parse().map_err(|_| CidrError)?;
        let cidr = Self::around(network, length);
        // INVARIANT: one spelling, or two readers could differ about one token;
        // an IPv4 address has one that parses, an IPv6 address has many
        let one_spelling = network.is_ipv4() || Spells(address).is(network);
        if one_spelling && cidr.network == network && cidr.length == length {
            Ok(cidr)
        } else {
            Err(CidrError)
        }
    }
}

/// What is left of a text while something is written that should equal it.
struct Spells<'a>(&'a str);

impl Spells<'_> {
    fn is(mut self, address: IpAddr) -> bool {
        write!(self, "{address}").is_ok() && self.0.is_empty()
    }
}

impl fmt::Write for Spells<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_only() {
        for good in [
            "10.0.0.0/8",
            "0.0.0.0/0",
            "192.0.2.7/32",
            "2001:db8::/32",
            "2001:db8:0:1::/64",
            "::ffff:10.0.0.0/104",
            "::/0",
        ] {
            assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
        }
        for bad in [
            "10.0.0.1/8",
            "10.0.0.0/08",
            "10.0.0.0/33",
            "10.0.0.0",
            "010.0.0.0/8",
            "2001:DB8::/32",
            "2001:db8:0::/32",
            "2001:0db8::/32",
            "0:0:0:0:0:0:0:0/0",
            "::/00",
            "::ffff:a00:0/104",
            "1.2.3/8",
            "0x0a.0.0.0/8",
            "10.0.0.0/256",
            "10.0.0.0/",
            "::1/64",
            "::/129",
            "10.0.0.0/+8",
            "/8",
            "",
        ] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_next_address_is_the_first_outside() {
        for (range, next) in [
            ("10.0.0.0/8", Some("11.0.0.0")),
            ("192.0.2.7/32", Some("192.0.2.8")),
            ("255.0.0.0/8", None),
            ("0.0.0.0/0", None),
            ("2001:db8::/32", Some("2001:db9::")),
            ("::1/128", Some("::2")),
            ("ffff::/16", None),
            ("::/0", None),
        ] {
            let range: Cidr = range.parse().unwrap();
            assert_eq!(range.next(), next.map(|text| text.parse().unwrap()));
            assert!(range.contains(range.first()));
            assert!(!range.next().is_some_and(|next| range.contains(next)));
        }
    }

    #[test]
    fn contains_agrees_with_the_list_of_prefixes() {
        let all: Vec<Cidr> = containing_prefixes("::ffff:10.1.2.3".parse().unwrap()).collect();
        assert_eq!(all.len(), 33);
        for range in [
            "10.0.0.0/8",
            "10.1.2.3/32",
            "11.0.0.0/8",
            "::/0",
            "0.0.0.0/0",
        ] {
            let range: Cidr = range.parse().unwrap();
            assert_eq!(
                range.contains("10.1.2.3".parse().unwrap()),
                all.contains(&range)
            );
        }
        assert_eq!(
            containing_prefixes("2001:db8::1".parse().unwrap()).count(),
            129
        );
    }
}
