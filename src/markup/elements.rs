//! What the elements of HTML are, as far as their text is concerned.

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// It begins and ends a block.
    Block,
    /// It stands within one.
    Inline,
    /// It ends a line: `br`.
    Break,
    /// It shows something else than text, or does something: all of it is compared as it is written.
    Object,
    /// It holds nothing, and shows nothing by itself.
    Nothing,
    /// What is in it is no part of the text, and stays.
    Head,
}

/// What an element of this name is.
pub(super) fn sort(name: &[u8]) -> Sort {
    match name {
        b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"caption" | b"center" | b"dd" | b"details"
        | b"dialog" | b"dir" | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure" | b"footer" | b"form"
        | b"frameset" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"header" | b"hgroup" | b"html" | b"legend" | b"li"
        | b"listing" | b"main" | b"menu" | b"nav" | b"ol" | b"optgroup" | b"option" | b"p" | b"plaintext" | b"pre"
        | b"search" | b"section" | b"summary" | b"table" | b"tbody" | b"td" | b"tfoot" | b"th" | b"thead" | b"tr" | b"ul" => {
            Sort::Block
        }
        b"br" => Sort::Break,
        b"applet" | b"audio" | b"button" | b"canvas" | b"embed" | b"frame" | b"iframe" | b"image" | b"img" | b"input"
        | b"math" | b"meter" | b"noembed" | b"noframes" | b"noscript" | b"object" | b"picture" | b"progress" | b"script"
        | b"select" | b"style" | b"svg" | b"template" | b"textarea" | b"video" | b"xmp" => Sort::Object,
        b"area" | b"base" | b"basefont" | b"bgsound" | b"col" | b"hr" | b"keygen" | b"link" | b"meta" | b"param" | b"source"
        | b"track" | b"wbr" => Sort::Nothing,
        b"head" | b"title" => Sort::Head,
        _ => Sort::Inline,
    }
}

/// Whether it is none of HTML's own, but of a page's: with nothing in it, it shows something all the same.
///
/// By the [HTML Standard](https://html.spec.whatwg.org/multipage/custom-elements.html#valid-custom-element-name).
pub(super) fn is_custom(name: &[u8]) -> bool {
    name.contains(&b'-')
}

/// Whether it never has an end tag.
pub(super) fn is_void(name: &[u8]) -> bool {
    matches!(sort(name), Sort::Nothing | Sort::Break) || matches!(name, b"embed" | b"frame" | b"image" | b"img" | b"input")
}

/// Whether white space in it is text.
pub(super) fn is_preformatted(name: &[u8]) -> bool {
    matches!(name, b"pre" | b"listing" | b"plaintext")
}

/// Whether it ends a line even though it holds nothing.
pub(super) fn is_rule(name: &[u8]) -> bool {
    name == b"hr"
}

/// Whether it goes only with what it is in, since that has a place for it.
pub(super) fn is_bound(name: &[u8]) -> bool {
    matches!(
        name,
        b"html" | b"head" | b"body" | b"td" | b"th" | b"caption" | b"thead" | b"tbody" | b"tfoot" | b"legend" | b"summary"
    )
}

/// Whether its end tag may be left out.
pub(super) fn may_lack_its_end(name: &[u8]) -> bool {
    matches!(
        name,
        b"p" | b"li"
            | b"dd"
            | b"dt"
            | b"option"
            | b"optgroup"
            | b"tr"
            | b"td"
            | b"th"
            | b"thead"
            | b"tbody"
            | b"tfoot"
            | b"rp"
            | b"rt"
            | b"caption"
            | b"colgroup"
            | b"html"
            | b"head"
            | b"body"
    )
}

/// Whether an element that is open ends where another begins (HTML Living Standard, 13.2.6.4.7). `None`: it doesn't, nor does any that
/// it stands in.
pub(super) fn ends_before(open: &[u8], next: &[u8]) -> Option<bool> {
    let is_heading = |name: &[u8]| matches!(name, [b'h', b'1'..=b'6']);
    let of_table = |name: &[u8]| matches!(name, b"tr" | b"td" | b"th" | b"tbody" | b"thead" | b"tfoot");
    match next {
        b"li" => match open {
            b"li" => Some(true),
            b"p" => Some(true),
            b"ul" | b"ol" | b"menu" | b"dir" | b"table" | b"td" | b"th" => None,
            _ => Some(false),
        },
        b"dd" | b"dt" => match open {
            b"dd" | b"dt" | b"p" => Some(true),
            b"dl" | b"table" | b"td" | b"th" => None,
            _ => Some(false),
        },
        b"td" | b"th" => match open {
            b"td" | b"th" => Some(true),
            b"tr" | b"table" => None,
            _ => Some(false),
        },
        b"tr" => match open {
            b"tr" | b"td" | b"th" => Some(true),
            b"table" => None,
            _ => Some(false),
        },
        b"tbody" | b"thead" | b"tfoot" => match open {
            b"table" => None,
            open => Some(of_table(open)),
        },
        b"option" | b"optgroup" => Some(open == b"option"),
        b"body" => match open {
            b"html" => None,
            _ => Some(open == b"head"),
        },
        _ if is_heading(next) && is_heading(open) => Some(true),
        _ if sort(next) == Sort::Block || is_rule(next) => match open {
            b"p" => Some(true),
            b"table" | b"td" | b"th" | b"caption" | b"button" | b"object" => None,
            _ => Some(false),
        },
        _ => Some(false),
    }
}

/// Whether an end tag closes nothing beyond an element that is open.
pub(super) fn keeps_in(open: &[u8], end: &[u8]) -> bool {
    matches!(open, b"td" | b"th" | b"caption")
        && !matches!(end, b"table" | b"tr" | b"tbody" | b"thead" | b"tfoot" | b"body" | b"html")
        || open == b"table" && !matches!(end, b"body" | b"html")
}

/// Whether it may stand in the head of a page.
pub(super) fn is_of_head(name: &[u8]) -> bool {
    matches!(
        name,
        b"base"
            | b"basefont"
            | b"bgsound"
            | b"link"
            | b"meta"
            | b"noframes"
            | b"noscript"
            | b"script"
            | b"style"
            | b"template"
            | b"title"
    )
}
