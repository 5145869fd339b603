//! Markup as a tree of places, and the blocks of its text.

use super::Dialect;
use super::elements::{
    Sort, ends_before, is_bound, is_custom, is_of_head, is_preformatted, is_rule, is_void, keeps_in, may_lack_its_end, sort,
};
use super::tokens::{self, Token, decode};
use crate::document::{Kind, Map, Span};
use crate::segment::is_blank;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// Markup, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    /// The blocks of its text, in order.
    pub(crate) blocks: Vec<Block>,
    /// From the text to the markup; what stands between blocks has no place there.
    pub(crate) map: Map,
    /// In the order in which they begin; the first one is all of it.
    pub(super) nodes: Vec<Node>,
    /// Elements that no tag ended where it should, each with the tag that would have.
    pub(super) tangles: Vec<(u64, u64)>,
    /// How many tags there are that should end an element and end none, or whose element nothing ends though it should.
    pub(crate) loose: usize,
    /// Whether elements are in one another beyond what is looked at: then nothing of it can be taken out.
    pub(super) is_too_deep: bool,
}

/// A block of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where it stands in the text.
    pub(crate) text: Span,
    /// What it looks like.
    pub(crate) kind: Kind,
    /// What of it isn't text, as it is written.
    pub(crate) objects: Vec<Span>,
    /// Whether there is text in it, too.
    pub(crate) has_text: bool,
}

/// An element, or what is in one.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) is: What,
    /// All of it.
    pub(super) place: Span,
    /// What is between its tags.
    pub(super) inside: Span,
    pub(super) parent: u32,
    /// One past the last node in it.
    pub(super) end: u32,
    /// The blocks that it holds something of.
    pub(super) blocks: std::ops::Range<u32>,
    /// Whether it holds what always stays.
    pub(super) stays: bool,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An element that ends a line, and whether it goes by itself.
    Block {
        is_bound: bool,
    },
    Inline,
    Break,
    Text,
    Blank,
    Object,
    Nothing,
}

impl Markup {
    /// Takes markup apart; its text goes to the end of `out`, and places in that are counted from there.
    pub(crate) fn read(markup: &[u8], dialect: Dialect, out: &mut Vec<u8>) -> Self {
        let root = Node {
            is: What::Block { is_bound: true },
            place: Span::new(0, markup.len()),
            inside: Span::new(0, markup.len()),
            parent: 0,
            end: 0,
            blocks: 0..0,
            stays: false,
        };
        let room = markup.len() / TYPICAL_NODE;
        let mut nodes = Vec::with_capacity(1 + room);
        nodes.push(root);
        let (blocks, map) = (Vec::with_capacity(room / TYPICAL_BLOCK), Map::with_room(room / 2));
        let read = Self { nodes, blocks, map, ..Self::default() };
        let mut reading = Reading {
            markup,
            dialect,
            base: out.len(),
            out,
            read,
            open: vec![Open { node: 0, name: Name::new(), sort: Sort::Block }],
            rows: Vec::new(),
            heads: 0,
            preformatted: 0,
            unclosed: Vec::new(),
            block: None,
            gap: 0,
            object: None,
        };
        tokens::each(markup, dialect, |token, place| reading.token(token, place));
        reading.end()
    }

    /// Where the characters of its text stand, but for those that are references; in order, without overlap.
    pub(crate) fn characters(&self) -> Vec<Span> {
        let mut objects = self.blocks.iter().flat_map(|block| &block.objects).peekable();
        let is_text = |(text, _): &(Span, Span)| objects.next_if_eq(&text).is_none();
        self.map.stretches().filter(is_text).map(|(_, written)| written).collect()
    }
}

/// Room is made for nodes of so many bytes, and for blocks of so many nodes; where they are less, it grows.
const TYPICAL_NODE: usize = 64;
const TYPICAL_BLOCK: usize = 4;

/// What is in so many elements is no deeper in any more, so that no markup takes longer than it should.
const DEEPEST: usize = 250;
/// So many elements without their end are remembered.
const MOST_UNCLOSED: usize = 100;

/// An element that is open.
struct Open {
    node: u32,
    name: Name,
    sort: Sort,
}

/// The name of an element: most are short.
type Name = SmallVec<[u8; 16]>;

/// A block under way.
struct Begun {
    start: usize,
    objects: Vec<Span>,
    has_text: bool,
}

/// An object under way: all of an element that is compared as it is written.
struct Within {
    name: Vec<u8>,
    start: u64,
    /// How many elements of its name are open in it.
    depth: usize,
}

struct Reading<'a> {
    markup: &'a [u8],
    dialect: Dialect,
    out: &'a mut Vec<u8>,
    base: usize,
    read: Markup,
    open: Vec<Open>,
    /// Elements that were ended by something else than their tag, and are of those that have one.
    unclosed: Vec<(Name, u64)>,
    /// For each row that is open the texts that stand directly in its cells: the cell, and the block.
    rows: Vec<Vec<(u32, u32)>>,
    /// How many elements are open whose content is no part of the text.
    heads: usize,
    /// And how many in which white space is.
    preformatted: usize,
    block: Option<Begun>,
    /// How many line ends stand between the last block and the next.
    gap: usize,
    object: Option<Within>,
}

impl Reading<'_> {
    fn token(&mut self, token: Token, place: Span) {
        if self.object.is_some() {
            return self.in_object(&token, place);
        }
        match token {
            Token::Open { name, is_empty, is_point } => self.begin(name, is_empty, is_point, place),
            Token::Close(name) => self.close(name, place),
            Token::Text => self.text(place, place, true),
            Token::Verbatim(text) => self.text(place, text, false),
            Token::Nothing => self.leaf(What::Nothing, place),
            Token::Unfinished => self.stay(place),
        }
    }

    /// Goes on in an object, which ends with its tag.
    fn in_object(&mut self, token: &Token, place: Span) {
        let within = self.object.as_mut().expect("there is one");
        match token {
            Token::Open { name, is_empty: false, .. } if *name == within.name => within.depth += 1,
            Token::Close(name) if *name == within.name => within.depth -= 1,
            _ => {}
        }
        if within.depth == 0 {
            let all = Span { start: within.start, end: place.end };
            self.object = None;
            self.object(all);
        }
    }

    fn begin(&mut self, name: &[u8], is_empty: bool, is_point: bool, place: Span) {
        self.end_before(name, place.start);
        let sort = sort(name);
        let is_element = !is_void(name) && !is_empty;
        match sort {
            Sort::Break => {
                if self.is_preformatted() && self.block.is_some() {
                    self.out.push(b'\n');
                    self.read.map.push(place, 1, true);
                    return self.leaf(What::Break, place);
                }
                self.end_block(1);
                self.leaf(What::Break, place);
            }
            Sort::Nothing => {
                if is_rule(name) {
                    self.end_block(2);
                    self.leaf(What::Block { is_bound: false }, place);
                } else {
                    self.leaf(What::Nothing, place);
                }
            }
            Sort::Object if is_element => self.object = Some(Within { name: name.into(), start: place.start, depth: 1 }),
            Sort::Object if is_point => self.leaf(What::Nothing, place),
            Sort::Object => self.object(place),
            Sort::Inline if !is_element && is_custom(name) => self.object(place),
            Sort::Head if !is_element => self.leaf(What::Nothing, place),
            Sort::Block | Sort::Inline | Sort::Head => {
                let is = match sort {
                    Sort::Inline => What::Inline,
                    _ => What::Block { is_bound: is_bound(name) },
                };
                if sort != Sort::Inline {
                    self.end_block(2);
                }
                let node = self.leaf_at(is, place);
                self.read.nodes[node as usize].stays = sort == Sort::Head;
                self.read.is_too_deep |= is_element && self.open.len() == DEEPEST;
                if is_element && self.open.len() < DEEPEST {
                    self.read.nodes[node as usize].inside = Span { start: place.end, end: place.end };
                    self.heads += usize::from(sort == Sort::Head);
                    self.preformatted += usize::from(is_preformatted(name));
                    if name == b"tr" {
                        self.rows.push(Vec::new());
                    }
                    self.open.push(Open { node, name: Name::from_slice(name), sort });
                }
            }
        }
    }

    /// Ends the elements that end where one of this name begins.
    fn end_before(&mut self, next: &[u8], at: u64) {
        if self.dialect == Dialect::Xhtml {
            return; // where each has its tag
        }
        if self.is_in_head() && !is_of_head(next) && next != b"head" {
            while self.is_in_head() {
                self.end_last(at, at);
            }
        }
        let mut ends = None;
        for (depth, open) in self.open.iter().enumerate().skip(1).rev() {
            match ends_before(&open.name, next) {
                Some(true) => ends = Some(depth),
                Some(false) => {}
                None => break,
            }
            // What only its parent ends is looked for no further.
            if ends.is_some() && !matches!(next, b"tr" | b"tbody" | b"thead" | b"tfoot" | b"li" | b"dd" | b"dt") {
                break;
            }
        }
        let Some(depth) = ends else { return };
        while self.open.len() > depth {
            self.end_last(at, at);
        }
    }

    fn close(&mut self, name: &[u8], place: Span) {
        if sort(name) == Sort::Break {
            return self.begin(name, false, false, place); // as browsers take it
        }
        let (mut found, mut is_kept_in) = (None, false);
        for (depth, open) in self.open.iter().enumerate().skip(1).rev() {
            if *open.name == *name {
                found = Some((depth, open.node));
                break;
            }
            is_kept_in |= self.dialect == Dialect::Html && keeps_in(&open.name, name);
        }
        if let Some((_, node)) = found.filter(|_| is_kept_in) {
            // It would end what is around the cell that it stands in.
            let start = self.read.nodes[node as usize].place.start;
            self.read.tangles.push((start, place.start));
            self.read.loose += 1;
            return self.leaf(What::Nothing, place);
        }
        if sort(name) == Sort::Block {
            self.end_block(2);
        }
        let Some((depth, node)) = found else {
            self.read.loose += 1;
            if let Some(at) = self.unclosed.iter().rposition(|(unclosed, _)| **unclosed == *name) {
                let (_, start) = self.unclosed.remove(at);
                self.read.tangles.push((start, place.start));
            }
            return self.leaf(What::Nothing, place);
        };
        while self.open.len() > depth + 1 {
            self.end_last(place.start, place.start);
        }
        if is_custom(name) && self.holds_nothing(node) {
            let start = self.read.nodes[node as usize].place.start;
            self.read.nodes.pop();
            self.open.pop();
            return self.object(Span { start, end: place.end });
        }
        self.end_last_by_its_tag(place);
    }

    /// Whether nothing was read since an element began.
    fn holds_nothing(&self, node: u32) -> bool {
        self.read.nodes.len() == node as usize + 1
    }

    fn end_last_by_its_tag(&mut self, tag: Span) {
        let open = self.open.pop().expect("it is open");
        self.end_node(&open, tag.start, tag.end);
    }

    /// Ends the last element that is open, where its content and where it ends itself.
    fn end_last(&mut self, inside: u64, end: u64) {
        let open = self.open.pop().expect("all of the markup stays open");
        self.read.loose += usize::from(!may_lack_its_end(&open.name));
        if self.unclosed.len() == MOST_UNCLOSED {
            self.unclosed.remove(0);
        }
        self.end_node(&open, inside, end);
        self.unclosed.push((open.name, self.read.nodes[open.node as usize].place.start));
    }

    fn end_node(&mut self, open: &Open, inside: u64, end: u64) {
        if open.sort != Sort::Inline {
            self.end_block(2);
        }
        let node = open.node;
        self.heads -= usize::from(open.sort == Sort::Head);
        self.preformatted -= usize::from(is_preformatted(&open.name));
        let last = self.read.nodes.len() as u32;
        let of = &mut self.read.nodes[node as usize];
        (of.inside.end, of.place.end, of.end) = (inside, end, last);
        if *open.name == *b"tr" {
            self.end_row();
        }
    }

    /// The texts that stand directly in the cells of a row, if several have some, go only with what they are among.
    fn end_row(&mut self) {
        let texts = self.rows.pop().unwrap_or_default();
        if texts.iter().all(|(cell, _)| *cell == texts[0].0) {
            return;
        }
        for (_, block) in texts {
            let block = &mut self.read.blocks[block as usize];
            if block.kind == Kind::Line {
                block.kind = Kind::Row;
            }
        }
    }

    /// Notes a text that stands directly in a cell.
    fn note_in_cell(&mut self, block: u32) {
        let around = self.open.iter().rev().find(|open| open.sort != Sort::Inline);
        let cell = around.filter(|open| matches!(&*open.name, b"td" | b"th")).map(|open| open.node);
        if let (Some(cell), Some(row)) = (cell, self.rows.last_mut()) {
            row.push((cell, block));
        }
    }

    fn is_in_head(&self) -> bool {
        self.heads > 0
    }

    fn is_preformatted(&self) -> bool {
        self.preformatted > 0
    }

    /// Adds a node that holds no others.
    fn leaf(&mut self, is: What, place: Span) {
        self.leaf_at(is, place);
    }

    fn leaf_at(&mut self, is: What, place: Span) -> u32 {
        let parent = self.open.last().expect("all of the markup stays open").node;
        let stays = self.is_in_head();
        let number = self.read.nodes.len() as u32;
        self.read.nodes.push(Node { is, place, inside: Span::default(), parent, end: 0, blocks: 0..0, stays });
        number
    }

    /// What is no text and never goes.
    fn stay(&mut self, place: Span) {
        let node = self.leaf_at(What::Nothing, place);
        self.read.nodes[node as usize].stays = true;
    }

    fn text(&mut self, place: Span, text: Span, has_entities: bool) {
        if self.is_in_head() {
            if text.of(self.markup).trim_ascii().is_empty() {
                return self.leaf(What::Blank, place);
            }
            if self.open.last().is_some_and(|open| open.sort == Sort::Head && *open.name != *b"head") {
                return self.stay(place);
            }
            while self.is_in_head() {
                self.end_last(place.start, place.start);
            }
        }
        let mut written = text;
        if self.block.is_none() && !self.is_preformatted() {
            let blank = written.of(self.markup).len() - written.of(self.markup).trim_ascii_start().len();
            written.start += blank as u64;
        }
        let raw = written.of(self.markup);
        if raw.is_empty() && self.block.is_none() {
            return self.leaf(What::Blank, place);
        }
        let (from, gap) = (self.out.len(), self.gap);
        self.begin_block();
        let text_from = self.out.len();
        match has_entities {
            true => decode(raw, written.range().start, self.out, &mut self.read.map),
            false => {
                self.out.extend_from_slice(raw);
                self.read.map.push(written, written.len(), false);
            }
        }
        let is_blank = is_blank(self.out[text_from..].trim_ascii_start());
        let block = self.read.blocks.len() as u32;
        match &mut self.block {
            Some(begun) if !is_blank => {
                begun.has_text = true;
                if !self.rows.is_empty() {
                    self.note_in_cell(block);
                }
                let node = self.leaf_at(What::Text, place);
                self.read.nodes[node as usize].blocks = block..block + 1;
            }
            Some(begun) if begun.has_text || !begun.objects.is_empty() => self.leaf(What::Blank, place),
            _ => {
                // Nothing has begun with it.
                self.out.truncate(from);
                self.read.map.truncate((from - self.base) as u64);
                (self.block, self.gap) = (None, gap);
                self.leaf(What::Blank, place);
            }
        }
    }

    fn object(&mut self, place: Span) {
        if self.is_in_head() {
            return self.stay(place);
        }
        self.begin_block();
        let start = self.out.len();
        self.out.extend_from_slice(place.of(self.markup));
        self.read.map.push(place, place.len(), false);
        let object = Span::new(start - self.base, self.out.len() - self.base);
        self.block.as_mut().expect("it has begun").objects.push(object);
        let block = self.read.blocks.len() as u32;
        let node = self.leaf_at(What::Object, place);
        self.read.nodes[node as usize].blocks = block..block + 1;
    }

    fn begin_block(&mut self) {
        if self.block.is_some() {
            return;
        }
        if !self.read.blocks.is_empty() {
            let gap = self.gap.max(1);
            self.out.extend(std::iter::repeat_n(b'\n', gap));
            self.read.map.skip(gap as u64);
        }
        self.gap = 0;
        self.block = Some(Begun { start: self.out.len(), objects: Vec::new(), has_text: false });
    }

    /// Ends the block under way, behind which so many line ends stand.
    fn end_block(&mut self, gap: usize) {
        self.gap = (self.gap + gap).min(2);
        let Some(Begun { start, objects, has_text }) = self.block.take() else { return };
        let is_preformatted = self.is_preformatted();
        let text = &self.out[start..];
        let objects_end = objects.last().map_or(0, |last| last.range().end + self.base - start);
        let len = if is_preformatted { text.len() } else { text.trim_ascii_end().len().max(objects_end) };
        let text = Span::new(start - self.base, start - self.base + len);
        self.read.map.truncate(text.end);
        self.out.truncate(start + len);
        let kind = if is_preformatted || !has_text { Kind::Fence } else { Kind::Line };
        self.read.blocks.push(Block { text, kind, objects, has_text });
        self.gap = gap;
    }

    fn end(mut self) -> Markup {
        let all = self.markup.len() as u64;
        if let Some(within) = self.object.take() {
            self.object(Span { start: within.start, end: all });
        }
        while self.open.len() > 1 {
            self.end_last(all, all);
        }
        self.end_block(2);
        let Markup { nodes, .. } = &mut self.read;
        nodes[0].end = nodes.len() as u32;
        keep_first_of_nothing(nodes, self.markup);
        for at in (1..nodes.len()).rev() {
            let (blocks, stays, parent) = (nodes[at].blocks.clone(), nodes[at].stays, nodes[at].parent as usize);
            nodes[parent].stays |= stays;
            let of = &mut nodes[parent].blocks;
            if blocks.start < blocks.end {
                let is_first = of.start == of.end;
                *of = if is_first { blocks } else { of.start.min(blocks.start)..of.end.max(blocks.end) };
            }
        }
        for (at, node) in nodes.iter_mut().enumerate() {
            node.end = node.end.max(at as u32 + 1);
        }
        self.read
    }
}

/// Of what shows nothing by itself, a comment, a rule, an element with nothing in it, the first stays that is written so: what goes between
/// texts that go stands somewhere else, too.
fn keep_first_of_nothing(nodes: &mut [Node], markup: &[u8]) {
    let mut seen = FxHashSet::default();
    for at in 1..nodes.len() {
        let node = &nodes[at];
        let is_empty = |end: usize| nodes[at + 1..end].iter().all(|inner| inner.is == What::Blank);
        let is_nothing = match node.is {
            What::Nothing => true,
            What::Block { .. } | What::Inline => is_empty((node.end as usize).max(at + 1)),
            What::Break | What::Text | What::Blank | What::Object => false,
        };
        if is_nothing && seen.insert(node.place.of(markup)) {
            nodes[at].stays = true;
        }
    }
}
