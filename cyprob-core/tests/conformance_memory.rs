//! The memory store does what every identity store must.

use cyprob_core::adapters::memory::MemoryStore;

cyprob_core::identity_store_conformance!(async { (MemoryStore::new(), ()) });
