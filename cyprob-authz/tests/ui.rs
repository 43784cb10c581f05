//! What must not compile. The messages are those of the pinned compiler.

#[test]
fn handlers_without_a_policy_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
