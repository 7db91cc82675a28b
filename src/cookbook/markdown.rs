//! Markdown that VitePress renders as meant: prose from comments, code, tables.

/// Markdown from a comment. Outside of code, `<` and `{{` would begin a tag or a Vue expression, which stops VitePress or
/// runs what a comment says; they become text. Addresses in angle brackets stay links.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    for line in text.trim().split_inclusive('\n') {
        let mark = fence_mark(line);
        match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                out.push_str(line);
            }
            (Some(open), _) => {
                if mark.is_some_and(|mark| mark.starts_with(open) && line.trim() == mark) {
                    fence = None;
                }
                out.push_str(line);
            }
            (None, None) => escape_line(line, &mut out),
        }
    }
    // An open fence would swallow the rest of the page.
    if let Some(open) = fence {
        out.push('\n');
        out.push_str(open);
    }
    out
}

/// Text as inline code.
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(if longest == 0 { 1 } else { longest + 1 });
    let space = if text.starts_with('`') || text.ends_with('`') || text.trim() != text { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// A block of code.
pub(super) fn code_block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_matches('\n').trim_end())
}

/// A table. Cells may hold inline markdown.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |text: &str| {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines.join(" ").replace('|', "\\|")
    };
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    text.push_str(&line(head.iter().map(|_| "---".to_owned()).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(|text| cell(text)).collect()));
    }
    text
}

/// The first paragraph of a comment, on one line.
pub(super) fn summary(text: &str) -> String {
    let paragraph = text.trim().lines().take_while(|line| !line.trim().is_empty());
    paragraph.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The run of backticks or tildes that opens or closes a fence.
fn fence_mark(line: &str) -> Option<&str> {
    let line = line.trim();
    ["`", "~"].iter().find_map(|tick| {
        let len = line.len() - line.trim_start_matches(tick).len();
        (len >= 3).then(|| &line[..len])
    })
}

fn escape_line(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find(['`', '<', '{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match rest.as_bytes()[0] {
            b'`' => push_code(rest, out),
            b'<' => push_angle(rest, out),
            _ => push_brace(rest, out),
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
}

/// A code span stays as it is; a backtick without its partner is text.
fn push_code(rest: &str, out: &mut String) -> usize {
    let open = rest.len() - rest.trim_start_matches('`').len();
    let ticks = &rest[..open];
    let mut from = open;
    while let Some(at) = rest[from..].find(ticks) {
        let start = from + at;
        let run = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        if run == open {
            out.push_str(&rest[..start + run]);
            return start + run;
        }
        from = start + run;
    }
    out.push_str(ticks);
    open
}

fn push_angle(rest: &str, out: &mut String) -> usize {
    let is_address = rest.starts_with("<https://") || rest.starts_with("<http://");
    if is_address
        && let Some(end) = rest.find(['>', ' ', '\n', '"', '\'', '{'])
        && rest.as_bytes()[end] == b'>'
    {
        out.push_str(&rest[..=end]);
        return end + 1;
    }
    out.push_str("&lt;");
    1
}

fn push_brace(rest: &str, out: &mut String) -> usize {
    if rest.starts_with("{{") {
        out.push_str("&#123;&#123;");
        return 2;
    }
    if rest.starts_with("}}") {
        out.push_str("&#125;&#125;");
        return 2;
    }
    out.push_str(&rest[..1]);
    1
}

#[cfg(test)]
mod tests {
    use super::{code, code_block, prose, summary, table};

    #[test]
    fn tags_and_expressions_become_text() {
        assert_eq!(
            prose("a <script>x</script> {{ secret }}"),
            "a &lt;script>x&lt;/script> &#123;&#123; secret &#125;&#125;"
        );
        assert_eq!(prose("a { b } < c"), "a { b } &lt; c");
        assert_eq!(prose("{{{x}}}"), "&#123;&#123;{x&#125;&#125;}");
        assert_eq!(prose("**bold** [link](./x)"), "**bold** [link](./x)");
        assert_eq!(prose("see <https://a.example/b?c=1>"), "see <https://a.example/b?c=1>");
        assert_eq!(prose("<https://a.example/{{x}}>"), "&lt;https://a.example/&#123;&#123;x&#125;&#125;>");
    }

    #[test]
    fn code_is_kept() {
        assert_eq!(prose("`Array<T>` and ``a ` <b>``"), "`Array<T>` and ``a ` <b>``");
        assert_eq!(prose("a ` b <c>"), "a ` b &lt;c>");
        let fenced = "```ts\nf<T>({{}})\n```\n<b>";
        assert_eq!(prose(fenced), "```ts\nf<T>({{}})\n```\n&lt;b>");
        assert_eq!(prose("````\n```\n<a>\n````\n<b>"), "````\n```\n<a>\n````\n&lt;b>");
        assert_eq!(prose("~~~\n<a>"), "~~~\n<a>\n~~~");
    }

    #[test]
    fn code_that_holds_backticks_is_fenced_with_more() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code_block("ts", "a\n```\nb"), "````ts\na\n```\nb\n````\n");
    }

    #[test]
    fn cells_stay_in_their_rows() {
        let rows = [vec!["a | b".to_owned(), "one\n\ntwo".to_owned()]];
        assert_eq!(table(&["X", "Y"], &rows), "| X | Y |\n| --- | --- |\n| a \\| b | one two |\n");
    }

    #[test]
    fn a_summary_is_the_first_paragraph() {
        assert_eq!(summary("\n One\n  two.\n\nThree."), "One two.");
    }
}
