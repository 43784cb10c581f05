//! Capability tokens, decisions and the secure router of the cyprob control plane.
