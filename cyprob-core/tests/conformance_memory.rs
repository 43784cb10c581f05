//! The memory stores do what every store must.

use cyprob_core::adapters::memory::{MemorySpent, MemoryStore};

cyprob_core::identity_store_conformance!(async { (MemoryStore::new(), ()) });
cyprob_core::spent_store_conformance!(async { (MemorySpent::default(), ()) });
