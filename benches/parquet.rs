//! Reads the texts of a Parquet file and writes it again, a cut in each text: `cargo bench --bench parquet -- FILE [OUT]`. Prints
//! how long each takes, by the wall, and by how many rows a second that is. Compare with `pq.read_table` and `pq.write_table`.

use std::fs::File;
use std::io::BufWriter;
use std::sync::mpsc;
use std::time::Instant;
use unecho::document::{Edit, Span};
use unecho::source::Fields;
use unecho::source::parquet::{Rewriter, Rows, Spool, Texts, Values};

/// As much text as the runner takes at a time.
const STRETCH: usize = 16 << 20;

fn main() {
    let paths: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(from) = paths.first() else { return println!("no FILE was given: nothing is measured") };
    let to = paths.get(1).cloned().unwrap_or_else(|| format!("{from}.copy"));
    let fields = &Fields::default();
    let open = || File::open(from).expect("FILE can be opened");
    let size = open().metadata().expect("FILE can be opened").len();
    println!("{from}: {} MB, {} threads", size / 1_000_000, rayon::current_num_threads());

    let start = Instant::now();
    let mut texts = Texts::open(open(), fields).expect("FILE is a table");
    let (mut rows, mut bytes) = (0, 0);
    while let Some(values) = texts.next(STRETCH).expect("FILE is whole") {
        rows += values.len();
        bytes += values.bytes.len();
    }
    println!("reading {rows} texts, {} MB: {:.2?}", bytes / 1_000_000, start.elapsed());

    for (what, cut_one_in, drop_one_in) in
        [("nothing", 0, 0), ("a cut in each text", 1, 0), ("a cut in each, one of 10 dropped", 1, 10)]
    {
        let start = Instant::now();
        let out = BufWriter::new(File::create(&to).expect("OUT can be created"));
        let mut rewriter = Rewriter::new(open(), fields, Spool { held: usize::MAX, folder: std::env::temp_dir() }, out)
            .expect("FILE is a table");
        let (sender, receiver) = mpsc::sync_channel::<Values>(1);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut texts = Texts::open(open(), fields).expect("FILE is a table");
                while let Some(values) = texts.next(STRETCH).expect("FILE is whole") {
                    if sender.send(values).is_err() {
                        return;
                    }
                }
            });
            for values in receiver {
                let rows = 0..values.len();
                let spans = rows.clone().filter(|row| cut_one_in > 0 && row % cut_one_in == 0).map(|row| values.span(row));
                let edits: Vec<Edit> = spans.filter_map(|span| first_line(&values, span)).map(Edit::from).collect();
                let dropped: Vec<u32> =
                    rows.filter(|row| drop_one_in > 0 && row % drop_one_in == 0).map(|row| row as u32).collect();
                rewriter.append(Rows { values: &values, edits: &edits, dropped: &dropped }).expect("OUT can be written");
            }
        });
        drop(rewriter.finish().expect("OUT can be written"));
        let size = std::fs::metadata(&to).expect("OUT is written").len();
        println!("reading and writing, {what}: {:.2?}, {} MB", start.elapsed(), size / 1_000_000);
    }
}

fn first_line(values: &Values, span: Span) -> Option<Span> {
    let end = memchr::memchr(b'\n', span.of(&values.bytes))?;
    Some(Span { start: span.start, end: span.start + end as u64 + 1 })
}
