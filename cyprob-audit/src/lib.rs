//! The tamper-evident audit log of the cyprob control plane.
