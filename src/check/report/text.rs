//! For people: each finding with both places, as compilers show what they complain of.

use super::{Ending, Report};
use crate::check::{Hit, Level, Rule};
use crate::report::{Passage, Quote, visible};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level as Shown, Origin, Renderer, Snippet};
use std::io::{self, Write};

/// Findings with the lines they are about.
pub struct Text<W> {
    out: W,
    renderer: Renderer,
}

impl<W: Write> Text<W> {
    /// Findings, written to `out`, coloured or not.
    pub fn new(out: W, is_coloured: bool) -> Self {
        Self { out, renderer: if is_coloured { Renderer::styled() } else { Renderer::plain() } }
    }
}

/// A quote of more lines than these has no last line: those between would have to be counted one by one.
const MOST_LINES: u64 = 10_000;

/// The source that a snippet is cut out of: the quoted lines, and empty ones for those between.
fn source(quote: &Quote) -> String {
    let mut source = quote.first.join("\n");
    if let Some(last) = quote.last.as_ref().filter(|_| quote.lines.count() <= MOST_LINES) {
        let between = quote.lines.count() as usize - quote.first.len();
        source += &"\n".repeat(between);
        source += last;
    }
    source
}

fn path(passage: &Passage) -> String {
    match passage.record {
        Some(_) if passage.has_lines_of_file => visible(&passage.path.to_string_lossy()).into_owned(),
        None => visible(&passage.path.to_string_lossy()).into_owned(),
        Some(_) => format!("{} text", Passage { lines: Vec::new(), ..passage.clone() }),
    }
}

fn snippet<'a>(quote: &Quote, at: &Passage, kind: AnnotationKind, label: String) -> Snippet<'a, Annotation<'a>> {
    let source = source(quote);
    let whole = kind.span(0..source.len()).label(label);
    let path = if quote.are_paragraphs { format!("{at} paragraph") } else { path(at) };
    Snippet::source(source).path(path).line_start(quote.lines.first as usize).annotation(whole)
}

impl<W: Write> Report for Text<W> {
    fn hit(&mut self, hit: &Hit) -> io::Result<()> {
        let level = match hit.level {
            Level::Error => Shown::ERROR,
            Level::Warning => Shown::WARNING,
            Level::Note | Level::Off => Shown::NOTE,
        };
        let message = visible(&hit.message).into_owned();
        let mut group = Group::with_title(level.primary_title(message).id(hit.rule.name()));
        match hit.evidence.as_ref().and_then(|evidence| Some((evidence.repeat.as_ref()?, &evidence.kept))) {
            Some((repeat, kept)) => {
                let repeated = hit.repeats.as_ref().unwrap_or(&hit.at);
                group = group.element(snippet(repeat, &hit.at, AnnotationKind::Primary, "this repeats".into()));
                group = match kept {
                    Some(kept) => group.element(snippet(kept, repeated, AnnotationKind::Context, what_it_repeats(repeated))),
                    None => group.element(Shown::NOTE.message(format!("it stands first in {repeated}"))),
                };
            }
            None => {
                let line = hit.at.first_line().unwrap_or(1) as usize;
                group = group.element(Origin::path(path(&hit.at)).line(line));
                if let Some(repeats) = &hit.repeats {
                    group = group.element(Shown::NOTE.message(format!("it stands first in {repeats}")));
                }
            }
        }
        if hit.rule != Rule::UnusedIgnore {
            group = group.element(Shown::NOTE.message(format!("its fingerprint is {}", hit.fingerprint)));
        }
        writeln!(self.out, "{}\n", self.renderer.render(&[group]))
    }

    fn end(&mut self, _: Ending) -> io::Result<()> {
        self.out.flush()
    }
}

fn what_it_repeats(repeated: &Passage) -> String {
    match repeated.lines.len() as u64 - 1 {
        0 => "what stands here".into(),
        1 => "what stands here and in one more place".into(),
        more => format!("what stands here and in {more} more places"),
    }
}
