//! Feeds of 1 MB, on one thread: `cargo bench --bench feeds`. Parsed by feed-rs alone, which reads no HTML; checked; and planned as a clean copy
//! needs it. Nothing in them repeats but what the generator repeats; the text follows from a fixed seed.

#[path = "../tests/support/corpus.rs"]
mod corpus;

use divan::Bencher;
use divan::counter::BytesCount;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use unecho::check::{Marks, Policy};
use unecho::runner::{Budget, Course, Outcome, Portion, Reading, run};
use unecho::source::{Selection, Walk};
use unecho::threads::Threads;
use unecho::{Result, Settings};

const BYTES: usize = 1 << 20;
const PARAGRAPHS: usize = 15;

/// How bodies are held.
#[derive(Clone, Copy, Debug)]
enum Way {
    Cdata,
    Escaped,
    Xhtml,
    Json,
}

const WAYS: [Way; 4] = [Way::Cdata, Way::Escaped, Way::Xhtml, Way::Json];

fn main() {
    divan::main();
}

/// A feed of about 1 MB whose bodies are paragraphs with a link in each.
fn feed(way: Way) -> String {
    let mut text = Vec::new();
    corpus::big_text(7, BYTES, 400, 0, true, &mut text).expect("memory takes what is written to it");
    let text = String::from_utf8(text).expect("the generator writes UTF-8");
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraph = |text: &str| format!("<p>{} <a href=\"https://example.org/\">there</a>.</p>\n", escaped(text));
    let paragraphs: Vec<String> = text.split("\n\n").map(paragraph).collect();
    let items = paragraphs.chunks(PARAGRAPHS).map(|body| body.concat()).enumerate();
    let rss = |held: &dyn Fn(&str) -> String| {
        let item = |(number, body): (usize, String)| {
            format!("<item><title>Item {number}</title><guid>{number}</guid><description>{}</description></item>\n", held(&body))
        };
        format!(
            "<rss version=\"2.0\"><channel><title>t</title>\n{}</channel></rss>\n",
            items.clone().map(item).collect::<String>()
        )
    };
    match way {
        Way::Cdata => rss(&|body| format!("<![CDATA[{body}]]>")),
        Way::Escaped => rss(&|body| escaped(body)),
        Way::Xhtml => {
            let entry = |(number, body)| {
                format!(
                    "<entry><title>Item {number}</title><id>{number}</id><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{body}</div></content></entry>\n"
                )
            };
            format!(
                "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title>\n{}</feed>\n",
                items.map(entry).collect::<String>()
            )
        }
        Way::Json => {
            let item = |(number, body): (usize, String)| serde_json::json!({ "id": number.to_string(), "content_html": body });
            let items: Vec<serde_json::Value> = items.map(item).collect();
            serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items }).to_string()
        }
    }
}

#[divan::bench(args = WAYS)]
fn feed_rs_alone(bencher: Bencher, way: Way) {
    let feed = feed(way);
    bencher
        .counter(BytesCount::new(feed.len()))
        .bench(|| feed_rs::parser::parse(feed.as_bytes()).expect("it is a feed").entries.len());
}

#[divan::bench(args = WAYS)]
fn checked(bencher: Bencher, way: Way) {
    let policy = Policy::default();
    each_run(bencher, way, |portion| Marks::of(&portion, &policy).map(|(_, told)| told.findings.len()));
}

#[divan::bench(args = WAYS)]
fn planned(bencher: Bencher, way: Way) {
    each_run(bencher, way, |portion| Ok(portion.cuts.len()));
}

/// Times a run over a feed in a file.
fn each_run(bencher: Bencher, way: Way, work: impl Fn(Portion) -> Result<usize> + Sync) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path: PathBuf = folder.path().join("feed.xml");
    let feed = feed(way);
    fs::write(&path, &feed).expect("it can be written");
    let (settings, reading, threads, stop) = (Settings::default(), Reading::default(), Threads::new(1), AtomicBool::new(false));
    let budget = Budget::of_machine();
    let course = Course { settings: &settings, reading: &reading, budget: &budget, threads: &threads, stop: &stop };
    bencher.counter(BytesCount::new(feed.len())).bench(|| {
        let found = Walk::new(std::slice::from_ref(&path), Selection::default()).expect("no pattern is given");
        let mut done = 0;
        let ended = run(found, course, &work, |outcomes| {
            done += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Done(_))).count();
            Ok(())
        });
        ended.expect("it is read");
        assert_eq!(done, 1, "it is a feed");
    });
}
