//! Secret providers and the encrypted local store of the cyprob control plane.
