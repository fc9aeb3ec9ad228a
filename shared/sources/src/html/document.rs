use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};

/// A page as a tree in document order: the descendants of an element are the nodes from the next one up to its end.
pub(crate) struct Document {
    nodes: Vec<HtmlNode>,
}

pub(super) struct HtmlNode {
    kind: NodeKind,
    /// The parent element. The first node is the page, which is its own parent.
    pub(super) parent: usize,
    /// The node after the last descendant.
    pub(super) end: usize,
}

enum NodeKind {
    Element { name: String, attributes: Vec<(String, String)> },
    Text(String),
}

/// Limits on a page. A result page has about 5,000 nodes in about 30 levels.
const BYTES_MAX: usize = 8 << 20;
const NODES_MAX: usize = 200_000;
const DEPTH_MAX: usize = 256;
const ATTRIBUTES_MAX: usize = 64;
/// For all elements together: a result page has about 10,000.
const ATTRIBUTES_IN_ALL_MAX: usize = 200_000;

/// Maximum length of an element's text to read: the longest needed is an address.
const TEXT_BYTES_MAX: usize = 2_000;
const TEXT_NODES_MAX: usize = 1_000;

/// Elements without an end tag.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements whose content is not text of the page.
const UNREAD: [&str; 7] = ["script", "style", "noscript", "iframe", "noembed", "noframes", "xmp"];

/// Inline elements. All other elements separate the words before and after them.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "code", "em", "font", "i", "img", "label", "mark", "s", "small", "span",
    "strike", "strong", "sub", "sup", "svg", "time", "u", "wbr",
];

/// Start tags that implicitly close an open element: tags, the elements that they close, and the ancestors at which the
/// search stops.
const ENDS: [(&[&str], &[&str], &[&str]); 6] = [
    (&["li"], &["li"], &["ul", "ol", "menu"]),
    (&["dt", "dd"], &["dt", "dd"], &["dl"]),
    (&["option"], &["option"], &["select"]),
    (&["tr"], &["tr"], &["table"]),
    (&["td", "th"], &["td", "th"], &["tr", "table"]),
    (&["a"], &["a"], &["table", "td", "th"]),
];

/// Start tags that close an open paragraph.
const END_PARAGRAPH: [&str; 22] = [
    "p", "div", "ul", "ol", "dl", "table", "section", "article", "aside", "header", "footer", "nav", "main", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li",
];

impl Document {
    /// Builds the tree. Invalid HTML is never an error; exceeding a limit is.
    ///
    /// # Errors
    /// Describes the limit that the page exceeds.
    pub(crate) fn parse(html: &str) -> Result<Self, String> {
        if html.len() > BYTES_MAX {
            return Err(format!("a page of {} bytes; {BYTES_MAX} are read at most", html.len()));
        }
        let mut builder = Builder::new();
        let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| builder.take(&event));
        emitter.naively_switch_states(true);
        // The builder emits a token only to report an exceeded limit.
        if let Some(Ok(problem)) = Tokenizer::new_with_emitter(html, emitter).next() {
            return Err(problem);
        }
        builder.close_to(1);
        let end = builder.nodes.len();
        builder.nodes[0].end = end;
        Ok(Self { nodes: builder.nodes })
    }

    /// All nodes, parents before children.
    pub(super) fn nodes(&self) -> &[HtmlNode] {
        &self.nodes
    }

    /// Returns the element's name in lower case; `None` for text.
    pub(super) fn name(&self, node: usize) -> Option<&str> {
        match &self.nodes[node].kind {
            NodeKind::Element { name, .. } => Some(name),
            NodeKind::Text(_) => None,
        }
    }

    /// Returns an attribute by its name in lower case.
    pub(super) fn attribute(&self, node: usize, name: &str) -> Option<&str> {
        match &self.nodes[node].kind {
            NodeKind::Element { attributes, .. } => {
                attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
            }
            NodeKind::Text(_) => None,
        }
    }

    /// Returns the words in an element, separated by single spaces, truncated to the limit for a field.
    pub(super) fn text(&self, node: usize) -> String {
        let mut text = String::new();
        let inside = &self.nodes[node..self.nodes[node].end];
        for node in inside.iter().take(TEXT_NODES_MAX) {
            match &node.kind {
                NodeKind::Element { .. } => {}
                NodeKind::Text(part) => push_cut(&mut text, part),
            }
            if text.len() >= TEXT_BYTES_MAX {
                break;
            }
        }
        one_spaced(&text)
    }
}

/// Collapses white space, including non-breaking spaces (U+00A0, U+202F).
pub(super) fn one_spaced(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

fn push_cut(text: &mut String, part: &str) {
    let mut end = part.len().min(TEXT_BYTES_MAX.saturating_sub(text.len()));
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    text.push_str(&part[..end]);
}

struct Builder {
    nodes: Vec<HtmlNode>,
    /// The open elements; the first is the page.
    open: Vec<usize>,
    /// The current start tag.
    tag: Option<(String, Vec<(String, String)>)>,
    /// Number of attributes so far.
    attributes: usize,
}

impl Builder {
    fn new() -> Self {
        let page = NodeKind::Element { name: String::new(), attributes: Vec::new() };
        Self { nodes: vec![HtmlNode { kind: page, parent: 0, end: 0 }], open: vec![0], tag: None, attributes: 0 }
    }

    /// Handles one event of the tokenizer. `Some` stops: a limit is exceeded.
    fn take(&mut self, event: &CallbackEvent<'_>) -> Option<String> {
        match *event {
            CallbackEvent::OpenStartTag { name } => self.tag = Some((owned(name), Vec::new())),
            CallbackEvent::AttributeName { name } => {
                if let Some((_, attributes)) = self.tag.as_mut().filter(|(_, known)| known.len() <= ATTRIBUTES_MAX) {
                    self.attributes += 1;
                    attributes.push((owned(name), String::new()));
                }
            }
            CallbackEvent::AttributeValue { value } => {
                let tag = self.tag.as_mut().filter(|(_, known)| known.len() <= ATTRIBUTES_MAX);
                if let Some((_, slot)) = tag.and_then(|(_, attributes)| attributes.last_mut()) {
                    slot.push_str(&String::from_utf8_lossy(value));
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                if let Some((name, attributes)) = self.tag.take() {
                    self.start(name, attributes, self_closing);
                }
            }
            CallbackEvent::EndTag { name } => {
                self.tag = None;
                self.end(&String::from_utf8_lossy(name));
            }
            CallbackEvent::String { value } => self.text(owned(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
        if self.attributes > ATTRIBUTES_IN_ALL_MAX {
            return Some(format!("a page of more than {ATTRIBUTES_IN_ALL_MAX} attributes"));
        }
        if self.nodes.len() > NODES_MAX {
            return Some(format!("a page of more than {NODES_MAX} elements and texts"));
        }
        (self.open.len() > DEPTH_MAX).then(|| format!("a page nested deeper than {DEPTH_MAX} elements"))
    }

    fn start(&mut self, name: String, attributes: Vec<(String, String)>, self_closing: bool) {
        if END_PARAGRAPH.contains(&name.as_str()) {
            self.close_nearest(&["p"], &["button", "td", "th", "li", "table"]);
        }
        for (starts, ends, within) in ENDS {
            if starts.contains(&name.as_str()) {
                self.close_nearest(ends, within);
            }
        }
        if is_block(&name) {
            self.part();
        }
        let drawn = || self.open.iter().any(|open| matches!(self.name(*open), "svg" | "math"));
        let childless = VOID.contains(&name.as_str()) || (self_closing && drawn());
        let node = self.push(NodeKind::Element { name, attributes });
        if !childless {
            self.open.push(node);
        }
    }

    fn end(&mut self, name: &str) {
        for at in (1..self.open.len()).rev() {
            let open = self.name(self.open[at]);
            if open == name {
                self.close_to(at);
                if is_block(name) {
                    self.part();
                }
                return;
            }
            // A stray `</span>` must not close its enclosing block.
            if INLINE.contains(&name) && !INLINE.contains(&open) {
                return;
            }
        }
    }

    fn text(&mut self, text: String) {
        let around = self.open.last().map_or("", |open| self.name(*open));
        if !UNREAD.contains(&around) {
            self.push(NodeKind::Text(text));
        }
    }

    /// Separates the words before from those after.
    fn part(&mut self) {
        let parted =
            matches!(self.nodes.last().map(|node| &node.kind), Some(NodeKind::Text(text)) if text.ends_with(' '));
        if !parted {
            self.push(NodeKind::Text(" ".into()));
        }
    }

    fn push(&mut self, kind: NodeKind) -> usize {
        let node = self.nodes.len();
        self.nodes.push(HtmlNode { kind, parent: self.open.last().copied().unwrap_or(0), end: node + 1 });
        node
    }

    /// Closes the innermost open element with one of these names, unless one of `within` is nearer.
    fn close_nearest(&mut self, names: &[&str], within: &[&str]) {
        let nearest = (1..self.open.len()).rev().find(|at| {
            let name = self.name(self.open[*at]);
            names.contains(&name) || within.contains(&name)
        });
        if let Some(at) = nearest.filter(|at| names.contains(&self.name(self.open[*at]))) {
            self.close_to(at);
        }
    }

    /// Closes this open element and all inside it.
    fn close_to(&mut self, at: usize) {
        let end = self.nodes.len();
        for open in self.open.drain(at..) {
            self.nodes[open].end = end;
        }
    }

    fn name(&self, node: usize) -> &str {
        match &self.nodes[node].kind {
            NodeKind::Element { name, .. } => name,
            NodeKind::Text(_) => "",
        }
    }
}

/// Whether an element's tags separate words.
fn is_block(name: &str) -> bool {
    !INLINE.contains(&name) && !UNREAD.contains(&name)
}

fn owned(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats the tree as text: `p(a b(c))`.
    fn shape(html: &str) -> String {
        fn write(document: &Document, node: usize, shape: &mut String) {
            let mut at = node + 1;
            while at < document.nodes[node].end {
                if !shape.is_empty() && !shape.ends_with(['(', ' ']) {
                    shape.push(' ');
                }
                match &document.nodes[at].kind {
                    NodeKind::Text(text) => shape.push_str(text.trim()),
                    NodeKind::Element { name, .. } => {
                        shape.push_str(name);
                        shape.push('(');
                        write(document, at, shape);
                        shape.truncate(shape.trim_end().len());
                        shape.push(')');
                    }
                }
                at = document.nodes[at].end;
            }
        }
        let document = Document::parse(html).unwrap();
        let mut text = String::new();
        write(&document, 0, &mut text);
        text.trim_end().to_owned()
    }

    fn text(html: &str) -> String {
        Document::parse(html).unwrap().text(0)
    }

    #[test]
    fn elements_nest_as_they_are_written() {
        assert_eq!(shape("<div><a href=x>1<img src=y>2</a></div>3"), "div(a(1 img() 2)) 3");
        assert_eq!(shape("<DIV>1</Div>"), "div(1)");
        assert_eq!(shape("<svg><path d=1 /><path/></svg>x"), "svg(path() path()) x");
        assert_eq!(shape("<div/>x"), "div(x)", "only drawings close themselves");
    }

    #[test]
    fn end_tags_that_may_be_left_out_are_put_in() {
        assert_eq!(shape("<ul><li>1<li>2<ul><li>3</ul></ul>"), "ul(li(1) li(2 ul(li(3))))");
        assert_eq!(shape("<p>1<p>2<div>3</div>"), "p(1) p(2) div(3)");
        assert_eq!(shape("<table><tr><td>1<td>2<tr><td>3</table>"), "table(tr(td(1) td(2)) tr(td(3)))");
        assert_eq!(shape("<a>1<a>2</a>"), "a(1) a(2)");
        assert_eq!(shape("<div><span>1</div>2"), "div(span(1)) 2");
    }

    #[test]
    fn a_stray_end_tag_closes_nothing_around_it() {
        assert_eq!(shape("<li>1</span>2</b></li>3"), "li(1 2) 3");
        assert_eq!(shape("<b><div>1</b>2</div>"), "b(div(1 2))");
    }

    #[test]
    fn a_text_is_its_words_and_blocks_part_them() {
        assert_eq!(text("<p><span dir=auto>690,000</span> <span>DH</span></p>"), "690,000 DH");
        assert_eq!(text("<span>2<!-- --> </span>"), "2");
        assert_eq!(text("1&nbsp;400\u{202f}000&#8239;DH &eacute;t&#x27;"), "1 400 000 DH ét'");
        assert_eq!(text("<div>Racine</div><div>Casablanca</div>x<br>y"), "Racine Casablanca x y");
        assert_eq!(text("a<script>if (a < b) '</p>'</script><style>p{}</style><noscript><p>b</p></noscript>c"), "ac");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cut = text(&format!("x{}", "é".repeat(5_000)));
        assert_eq!((cut.len(), cut.ends_with('é')), (1_999, true));
        assert!(text(&"<b>x</b>".repeat(5_000)).len() < TEXT_NODES_MAX);
    }

    #[test]
    fn a_page_that_is_too_much_is_refused() {
        let refused = |html: &str| Document::parse(html).err().unwrap_or_default();
        assert!(refused(&"<div>".repeat(300)).contains("deeper than 256"));
        assert!(refused(&"<br>".repeat(200_001)).contains("more than 200000"));
        assert!(refused(&"x".repeat(BYTES_MAX + 1)).contains("8388608 are read at most"));
        assert_eq!(refused(&"</div>".repeat(300_000)), "");
    }

    /// Input that makes the standard's tree construction grow without bounds: each paragraph copies every open font.
    #[test]
    fn unclosed_formatting_is_not_copied() {
        let fonts: String = (0..200).map(|n| format!("<font size={n}>")).collect();
        let document = Document::parse(&format!("{fonts}{}", "<p>x".repeat(10_000))).unwrap();
        assert!(document.nodes().len() <= 1 + 200 + 3 * 10_000);
    }

    #[test]
    fn an_element_keeps_its_first_attributes() {
        let many: String = (0..10_000).map(|n| format!(" a{n}=1")).collect();
        let document = Document::parse(&format!("<p id=x{many} class=y>")).unwrap();
        let node = (0..document.nodes().len()).find(|node| document.name(*node) == Some("p")).unwrap();
        assert_eq!((document.attribute(node, "id"), document.attribute(node, "class")), (Some("x"), None));
    }
}
