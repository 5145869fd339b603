//! Feeds of each format, with bodies held in each of the ways that there are.
#![allow(dead_code, reason = "each test takes the part it needs")]

use super::bodies::paragraph;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Cdata,
    Escaped,
    Xhtml,
    Plain,
    JsonHtml,
    JsonText,
}

/// A feed of two items, of which the first has a body in this element, or field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) way: Way,
    element: &'static str,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Rss091,
    Rss10,
    Rss20,
    Atom03,
    Atom,
    Json,
}

#[rustfmt::skip]
pub(crate) const KINDS: [Kind; 20] = [
    Kind { name: "RSS 0.91, description", file: "a.rss", way: Way::Escaped, element: "description", format: Format::Rss091 },
    Kind { name: "RSS 0.92, description", file: "a.xml", way: Way::Cdata, element: "description", format: Format::Rss091 },
    Kind { name: "RSS 1.0, description", file: "a.rdf", way: Way::Escaped, element: "description", format: Format::Rss10 },
    Kind { name: "RSS 1.0, plain text", file: "a.rdf", way: Way::Plain, element: "description", format: Format::Rss10 },
    Kind { name: "RSS 1.0, content:encoded", file: "a.xml", way: Way::Cdata, element: "content:encoded", format: Format::Rss10 },
    Kind { name: "RSS 2.0, description", file: "a.rss", way: Way::Cdata, element: "description", format: Format::Rss20 },
    Kind { name: "RSS 2.0, description, escaped", file: "feed", way: Way::Escaped, element: "description", format: Format::Rss20 },
    Kind { name: "RSS 2.0, plain text", file: "a.xml", way: Way::Plain, element: "description", format: Format::Rss20 },
    Kind { name: "RSS 2.0, content:encoded", file: "a.xml", way: Way::Cdata, element: "content:encoded", format: Format::Rss20 },
    Kind { name: "RSS 2.0, content:encoded, escaped", file: "a.xml", way: Way::Escaped, element: "content:encoded", format: Format::Rss20 },
    Kind { name: "RSS 2.0, XHTML", file: "a.rss", way: Way::Xhtml, element: "body xmlns=\"http://www.w3.org/1999/xhtml\"", format: Format::Rss20 },
    Kind { name: "Atom, html", file: "a.atom", way: Way::Escaped, element: "content type=\"html\"", format: Format::Atom },
    Kind { name: "Atom, html in CDATA", file: "a.atom", way: Way::Cdata, element: "content type=\"html\"", format: Format::Atom },
    Kind { name: "Atom, xhtml", file: "a.xml", way: Way::Xhtml, element: "content type=\"xhtml\"", format: Format::Atom },
    Kind { name: "Atom, text", file: "a.atom", way: Way::Plain, element: "content", format: Format::Atom },
    Kind { name: "Atom, summary", file: "a.atom", way: Way::Escaped, element: "summary type=\"html\"", format: Format::Atom },
    Kind { name: "Atom 0.3", file: "a.xml", way: Way::Escaped, element: "content type=\"text/html\" mode=\"escaped\"", format: Format::Atom03 },
    Kind { name: "JSON Feed, content_html", file: "a.json", way: Way::JsonHtml, element: "content_html", format: Format::Json },
    Kind { name: "JSON Feed, content_text", file: "a.json", way: Way::JsonText, element: "content_text", format: Format::Json },
    Kind { name: "JSON Feed, summary", file: "a.json", way: Way::JsonText, element: "summary", format: Format::Json },
];

impl Kind {
    /// A feed whose first item has this body, and these between its title and that.
    pub(crate) fn feed(self, body: &str) -> String {
        let (before, after) = match self.format {
            Format::Rss091 => (include_str!("feeds/rss091.before"), include_str!("feeds/rss091.after")),
            Format::Rss10 => (include_str!("feeds/rss10.before"), include_str!("feeds/rss10.after")),
            Format::Rss20 => (include_str!("feeds/rss20.before"), include_str!("feeds/rss20.after")),
            Format::Atom03 => (include_str!("feeds/atom03.before"), include_str!("feeds/atom03.after")),
            Format::Atom => (include_str!("feeds/atom.before"), include_str!("feeds/atom.after")),
            Format::Json => (include_str!("feeds/json.before"), include_str!("feeds/json.after")),
        };
        let name = self.element.split(' ').next().unwrap();
        let element = |inside: &str| format!("{before}<{}>{inside}</{name}>\n{after}", self.element);
        match self.way {
            Way::Cdata => element(&format!("<![CDATA[{body}]]>")),
            Way::Escaped | Way::Plain => element(&escaped(body)),
            Way::Xhtml if name == "content" => element(&format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{body}</div>")),
            Way::Xhtml => element(body),
            Way::JsonHtml | Way::JsonText => format!("{before}      \"{name}\": {}{after}", serde_json::to_string(body).unwrap()),
        }
    }

    /// These paragraphs as a body.
    pub(crate) fn body(self, paragraphs: &[String]) -> String {
        match self.way {
            Way::Plain | Way::JsonText => paragraphs.join("\n\n"),
            _ => paragraphs.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// A text as XML has it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A lede, and so many paragraphs behind it, once or several times.
pub(crate) fn told(count: usize, times: usize) -> Vec<String> {
    let lede = "Of the harbour & its boats: what was known in the morning.".to_owned();
    let body: Vec<String> = (1..=count).map(paragraph).collect();
    std::iter::once(lede).chain((0..times).flat_map(|_| body.clone())).collect()
}
