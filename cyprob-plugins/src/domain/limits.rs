//! How much a file may cost before it is refused.

/// Limits of one input file; every one is checked before the cost is paid.
///
/// The same guard serves plugin files ([`Limits::plugin`]) and fact files
/// ([`Limits::facts`]); only the numbers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest file in bytes.
    pub bytes: usize,
    /// Deepest nesting of lists and maps (for XML: of elements).
    pub depth: usize,
    /// Most scalars, lists and maps together (for XML: elements and texts).
    pub nodes: usize,
    /// Longest single scalar in bytes.
    pub scalar_bytes: usize,
    /// Most lines that begin with `%` (YAML directives are searched linearly).
    pub directives: usize,
    /// Most diagnostics kept for one file.
    pub diagnostics: usize,
    /// Most fact sets in one input.
    pub fact_sets: usize,
    /// What a regular expression may cost.
    pub pattern: PatternLimits,
}

/// Limits of the regular expressions of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternLimits {
    /// Longest pattern in bytes.
    pub source_bytes: usize,
    /// Largest compiled program of one pattern in bytes.
    pub compiled_bytes: usize,
    /// Deepest nesting inside a pattern.
    pub nest: u32,
    /// Most estimated states of one pattern; refused before compiling.
    pub weight: u64,
    /// Most estimated states of all patterns of one plugin together.
    pub total_weight: u64,
}

impl Limits {
    /// Limits of a plugin file: 256 KiB, depth 32, 10,000 nodes.
    #[must_use]
    pub fn plugin() -> Self {
        Self {
            bytes: 256 * 1024,
            depth: 32,
            nodes: 10_000,
            scalar_bytes: 64 * 1024,
            directives: 16,
            diagnostics: 100,
            fact_sets: 0,
            pattern: PatternLimits::default(),
        }
    }

    /// Limits of a fact file: 8 MiB, depth 32, 500,000 nodes, 1 MiB a scalar.
    #[must_use]
    pub fn facts() -> Self {
        Self {
            bytes: 8 * 1024 * 1024,
            nodes: 500_000,
            scalar_bytes: 1024 * 1024,
            fact_sets: 100_000,
            ..Self::plugin()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::plugin()
    }
}

impl Default for PatternLimits {
    fn default() -> Self {
        Self {
            source_bytes: 4096,
            compiled_bytes: 64 * 1024,
            nest: 20,
            weight: 4_000,
            total_weight: 20_000,
        }
    }
}
