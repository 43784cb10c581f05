//! Whom the limiter treats as one.

use std::net::IpAddr;

/// A network, as a number that two networks never share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// The leading bits of an IPv4 address.
    V4(u32),
    /// The leading bits of an IPv6 address.
    V6(u64),
}

/// The two networks of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Networks {
    /// What one client has at least: an IPv4 address, an IPv6 /64.
    pub address: Network,
    /// What one site has: an IPv4 /24, an IPv6 /56.
    pub network: Network,
}

impl Networks {
    /// The networks of an address; an IPv4 address in IPv6 clothes is an IPv4 address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let bits = u32::from(v4);
                Self {
                    address: Network::V4(bits),
                    network: Network::V4(bits & 0xffff_ff00),
                }
            }
            IpAddr::V6(v6) => {
                let bits = u128::from(v6) >> 64;
                // INVARIANT: 64 bits are left
                let bits = u64::try_from(bits).unwrap_or(u64::MAX);
                Self {
                    address: Network::V6(bits),
                    network: Network::V6(bits & !0xff),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Networks {
        Networks::of(text.parse().unwrap())
    }

    #[test]
    fn hosts_of_one_network_are_one() {
        assert_ne!(of("10.0.0.1").address, of("10.0.0.2").address);
        assert_eq!(of("10.0.0.1").network, of("10.0.0.2").network);
        assert_ne!(of("10.0.0.1").network, of("10.0.1.1").network);
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        let (one, two) = (of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_eq!(one, two, "a client turns through its /64 for nothing");
        assert_ne!(one.address, of("2001:db8:1:3::1").address);
        assert_eq!(one.network, of("2001:db8:1:ff::1").network);
        assert_ne!(one.network, of("2001:db8:1:100::1").network);
    }
}
