//! The limiter that stands before everything: by network, in fixed memory.

use std::net::IpAddr;
use std::time::Duration;

use super::table::Table;
use crate::domain::{Gate, Networks, ThrottlingPolicy, Timestamp};

/// Locks per table of addresses: 16,384 buckets.
const ADDRESS_STRIPES: usize = 32;
/// Locks per table of networks: 8,192 buckets.
const NETWORK_STRIPES: usize = 16;

/// The buckets of one gate.
#[derive(Debug)]
struct Tables {
    address: Table,
    network: Table,
}

/// The buckets of every gate.
///
/// A caller without an address passes: a host that does not say where requests
/// come from would otherwise let any one of them use up what all have.
#[derive(Debug)]
pub(super) struct Gates([Tables; Gate::ALL.len()]);

/// What a caller took out and may give back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    gate: Gate,
    from: Option<Networks>,
}

impl Gates {
    pub(super) fn new(policy: &ThrottlingPolicy) -> Self {
        Self(Gate::ALL.map(|gate| {
            let rates = policy.rates(gate);
            Tables {
                address: Table::new(rates.address, ADDRESS_STRIPES),
                network: Table::new(rates.network, NETWORK_STRIPES),
            }
        }))
    }

    /// The memory that they have from the beginning to the end.
    pub(super) fn bytes(&self) -> usize {
        let Self(tables) = self;
        let of = |tables: &Tables| tables.address.bytes() + tables.network.bytes();
        tables.iter().map(of).sum()
    }

    const fn tables(&self, gate: Gate) -> &Tables {
        let Self([sign_in, refresh, token, mail]) = self;
        match gate {
            Gate::SignIn => sign_in,
            Gate::Refresh => refresh,
            Gate::Token => token,
            Gate::Mail => mail,
        }
    }

    /// Takes one out of both buckets of an address, or of neither.
    pub(super) fn take(
        &self,
        gate: Gate,
        from: Option<IpAddr>,
        at: Timestamp,
    ) -> Result<Taken, Duration> {
        let from = from.map(Networks::of);
        if let Some(Networks { address, network }) = from {
            let tables = self.tables(gate);
            tables.address.take(&address, at)?;
            if let Err(wait) = tables.network.take(&network, at) {
                tables.address.give_back(&address);
                return Err(wait);
            }
        }
        Ok(Taken { gate, from })
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&self, taken: Taken) {
        if let Some(Networks { address, network }) = taken.from {
            let tables = self.tables(taken.gate);
            tables.address.give_back(&address);
            tables.network.give_back(&network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use super::*;

    fn at() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn gates() -> Gates {
        let policy = ThrottlingPolicy::default().with_failures_at_once(10);
        Gates::new(&policy.unwrap())
    }

    fn admitted(gates: &Gates, from: impl Iterator<Item = String>) -> usize {
        from.filter(|from| {
            let from = from.parse().unwrap();
            gates.take(Gate::SignIn, Some(from), at()).is_ok()
        })
        .count()
    }

    #[test]
    fn asvs_6_3_1_a_client_that_turns_through_its_ipv6_addresses_is_one() {
        let gates = gates();
        let hosts = (0..500).map(|host| format!("2001:db8:0:1::{host:x}"));
        assert_eq!(admitted(&gates, hosts), 10);
        let subnets = (0..256)
            .flat_map(|net| (0..10).map(move |host| format!("2001:db8:7:{net:x}::{host:x}")));
        assert_eq!(
            admitted(&gates, subnets),
            50,
            "a /56 has five times as much"
        );
        let clothed = ["::ffff:10.0.0.1".to_owned(), "10.0.0.1".to_owned()];
        let twice = clothed.iter().cycle().take(20).cloned();
        assert_eq!(admitted(&gates, twice), 10);
    }

    #[test]
    fn a_network_that_is_empty_costs_an_address_nothing() {
        let gates = gates();
        let hosts = (1..=5).flat_map(|host| vec![format!("10.0.0.{host}"); 10]);
        assert_eq!(admitted(&gates, hosts), 50);
        let other: IpAddr = "10.0.0.99".parse().unwrap();
        assert!(gates.take(Gate::SignIn, Some(other), at()).is_err());
        let [tables, ..] = &gates.0;
        let address = Networks::of(other).address;
        let left = (0..).take_while(|_| tables.address.take(&address, at()).is_ok());
        assert_eq!(left.count(), 10);
    }

    #[test]
    fn gates_are_apart_and_what_is_given_back_is_back() {
        let gates = gates();
        let from = "10.0.0.1".parse().ok();
        for _ in 0..1_000 {
            let taken = gates.take(Gate::SignIn, from, at()).unwrap();
            gates.give_back(taken);
        }
        while gates.take(Gate::SignIn, from, at()).is_ok() {}
        assert!(gates.take(Gate::Refresh, from, at()).is_ok());
        assert!(gates.take(Gate::Token, from, at()).is_ok());
        assert!((0..5_000).all(|_| gates.take(Gate::SignIn, None, at()).is_ok()));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a stopwatch")]
    fn what_it_costs_and_holds() {
        let gates = gates();
        let begun = Instant::now();
        for number in 0..200_000_u32 {
            let from = IpAddr::from(number.wrapping_mul(2_654_435_761).to_be_bytes());
            let _ = black_box(gates.take(Gate::SignIn, Some(from), at()));
        }
        let each = begun.elapsed() / 200_000;
        println!("{each:?} for one address; {} bytes in all", gates.bytes());
        assert!(gates.bytes() < 2 << 20, "{}", gates.bytes());
    }
}
