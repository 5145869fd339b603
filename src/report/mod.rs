//! x
/// x
pub fn visible(s: &str) -> String {
    s.to_string()
}
