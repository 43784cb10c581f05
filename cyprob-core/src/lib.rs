//! Identity, sessions and tenancy of the cyprob control plane.
