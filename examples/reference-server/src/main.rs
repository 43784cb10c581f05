//! The reference server of the cyprob control plane.

fn main() {}
