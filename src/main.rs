//! x
use std::io::Write;
fn main() {
    let a = std::env::args().nth(1).unwrap();
    let b = std::fs::read(&a).unwrap();
    let d = unecho::source::text::document(&b);
    let t = std::time::Instant::now();
    let p = unecho::Plan::new(&d, &unecho::Settings::default()).unwrap();
    eprintln!("{:?} {} paragraphs, {} blocks, {} removed", t.elapsed(), p.paragraphs, p.blocks.len(), p.removed_bytes());
    for b in p.blocks.iter().take(5) {
        eprintln!("{b:?}");
    }
    if std::env::args().len() < 3 {
        std::io::stdout().write_all(&unecho::apply::without(&b, p.cuts.iter().map(|c| c.at))).unwrap();
    }
}
