//! The plugin engine, worker boundary and job queue of the cyprob control plane.
