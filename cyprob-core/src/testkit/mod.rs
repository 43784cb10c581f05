//! Conformance suites, fakes and properties.
