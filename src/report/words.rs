//! Numbers, sizes and names as people read them.

use crate::document::Unit;
use crate::error::count;
use std::cmp::Ordering;

/// "1 paragraph", "13 paragraphs".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// What is compared as a whole.
pub fn noun(unit: Unit) -> &'static str {
    match unit {
        Unit::Paragraph => "paragraph",
        Unit::Line => "line",
        Unit::Document => "document",
    }
}

/// A size before and after: "6,287 → 3,289 bytes", "84.1 → 80.9 MB".
pub fn bytes(before: u64, after: u64) -> String {
    // Each with the least size that is said in it: what rounds to 1000.0 of a unit is 1.0 of the next.
    const UNITS: [(u64, f64, &str); 4] =
        [(999_950_000_000, 1e12, "TB"), (999_950_000, 1e9, "GB"), (999_950, 1e6, "MB"), (100_000, 1e3, "kB")];
    let unit = UNITS.iter().find(|(least, ..)| before >= *least);
    let number = |bytes: u64| unit.map_or_else(|| count(bytes), |(_, size, _)| format!("{:.1}", bytes as f64 / size));
    let (first, second) = (number(before), number(after));
    let numbers = if first == second { first } else { format!("{first} → {second}") };
    format!("{numbers} {}", unit.map_or(if numbers == "1" { "byte" } else { "bytes" }, |(.., name)| name))
}

/// By how much something shrank: "−48 %", "−3.8 %".
pub fn change(before: u64, after: u64) -> String {
    match before.cmp(&after) {
        Ordering::Equal => "±0 %".into(),
        Ordering::Greater => format!("−{}", share(before - after, before)),
        Ordering::Less => format!("+{}", share(after - before, before)),
    }
}

/// A part of a whole: "48 %", "3.8 %", "<0.1 %".
pub fn share(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    // The bounds are where the shorter form begins to round as the longer one would.
    if part == 0 || percent >= 9.95 {
        format!("{percent:.0} %")
    } else if percent >= 0.05 {
        format!("{percent:.1} %")
    } else {
        "<0.1 %".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(0), count(999), count(6287), count(1_234_567)], ["0", "999", "6,287", "1,234,567"]);
        assert_eq!(bytes(6287, 3289), "6,287 → 3,289 bytes");
        assert_eq!(bytes(84_100_000, 80_900_000), "84.1 → 80.9 MB");
        assert_eq!([bytes(120_000, 120_000), bytes(1, 1), bytes(1, 0)], ["120.0 kB", "1 byte", "1 → 0 bytes"]);
        assert_eq!([bytes(999_960_000, 0), bytes(999_940_000, 0)], ["1.0 → 0.0 GB", "999.9 → 0.0 MB"]);
        assert_eq!([change(10_000, 9_004), change(10_000, 9_996)], ["−10 %", "−<0.1 %"]);
        assert_eq!([change(6287, 3289), change(841, 809), change(5, 5), change(0, 0)], ["−48 %", "−3.8 %", "±0 %", "±0 %"]);
        assert_eq!([counted(1, "block"), counted(13, "paragraph")], ["1 block", "13 paragraphs"]);
    }
}
