//! Diagnostics as text for people and as JSON for programs. The only user of miette.

use std::error::Error;
use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, NamedSource,
    SourceCode, SourceSpan, SpanContents,
};
use serde_json::{Value, json};

use super::{Diagnostic, Label, Severity};
use crate::source::{FileId, LineColumn, Location, Sources};

/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// Whether to use terminal colours.
    pub color: bool,
    /// Columns to wrap prose at.
    pub width: usize,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// The diagnostics with their source frames, ending with a newline unless there are none.
pub fn to_text(diagnostics: &[Diagnostic], sources: &Sources, options: RenderOptions) -> String {
    let theme = if options.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(options.width)
        .with_links(false)
        .without_syntax_highlighting()
        .with_break_words(false);
    let mut text = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let report = Report::new(diagnostic, sources);
        // A rendering that fails must not hide the message itself.
        if handler.render_report(&mut text, &report).is_err() {
            text.push_str(&format!("{}: {}\n", diagnostic.code, diagnostic.message));
        }
    }
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// One diagnostic as a JSON object: code, severity, message, why, help, and labels with path, line and column from 1.
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = diagnostic.labels.iter().map(|label| label_json(label, sources)).collect();
    json!({
        "code": diagnostic.code.as_str(),
        "severity": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": diagnostic.message,
        "why": diagnostic.why,
        "help": diagnostic.help,
        "labels": labels,
    })
}

fn label_json(label: &Label, sources: &Sources) -> Value {
    let start = sources.line_column(label.location);
    json!({
        "file": sources.file(label.location.file).path,
        "line": start.line,
        "column": start.column,
        "start": label.location.start,
        "end": label.location.end,
        "text": label.text,
    })
}

/// One diagnostic in the shape that miette draws: a frame of the main file, then one for each other file.
#[derive(Debug)]
struct Report<'d> {
    message: &'d str,
    code: Option<String>,
    severity: miette::Severity,
    why: Option<Why>,
    help: Option<&'d str>,
    source: Option<Shown>,
    labels: Vec<LabeledSpan>,
    others: Vec<Report<'d>>,
}

#[derive(Debug)]
struct Why(String);

impl<'d> Report<'d> {
    fn new(diagnostic: &'d Diagnostic, sources: &Sources) -> Self {
        let mut files: Vec<FileId> = Vec::new();
        for label in &diagnostic.labels {
            if !files.contains(&label.location.file) {
                files.push(label.location.file);
            }
        }
        let mut frames = files.into_iter().map(|file| Self::frame(diagnostic, file, sources));
        let (source, labels) = frames.next().map_or((None, Vec::new()), |main| (main.source, main.labels));
        Self {
            message: &diagnostic.message,
            code: Some(diagnostic.code.to_string()),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            why: diagnostic.why.clone().map(Why),
            help: diagnostic.help.as_deref(),
            source,
            labels,
            others: frames.collect(),
        }
    }

    fn frame(diagnostic: &'d Diagnostic, file: FileId, sources: &Sources) -> Self {
        let source = sources.file(file);
        let here = diagnostic.labels.iter().filter(|label| label.location.file == file);
        if let Some(label) =
            here.clone().find(|label| line_len(&source.text, label.location) > LINE_BYTES_MAX)
        {
            return Self::far(label, sources);
        }
        let labels = here.map(|label| {
            let start = label.location.start as usize;
            let len = label.location.end.saturating_sub(label.location.start) as usize;
            LabeledSpan::new_with_span(Some(label.text.clone()), SourceSpan::new(start.into(), len))
        });
        Self {
            message: "in another file",
            code: None,
            severity: miette::Severity::Advice,
            why: None,
            help: None,
            labels: labels.collect(),
            source: Some(Shown::File(NamedSource::new(&source.path, source.text.to_string()))),
            others: Vec::new(),
        }
    }
}

impl Report<'_> {
    /// A place in a line too long to be drawn: its position instead of a frame.
    fn far(label: &Label, sources: &Sources) -> Self {
        let position = sources.line_column(label.location);
        let path = &sources.file(label.location.file).path;
        let excerpt: String = sources.slice(label.location).chars().take(EXCERPT_CHARS).collect();
        let len = excerpt.len();
        Self {
            message: "in another file",
            code: None,
            severity: miette::Severity::Advice,
            why: None,
            help: None,
            labels: vec![LabeledSpan::new_with_span(
                Some(label.text.clone()),
                SourceSpan::new(0.into(), len),
            )],
            source: Some(Shown::Excerpt { path: path.clone(), text: excerpt, position }),
            others: Vec::new(),
        }
    }
}

/// What a frame is drawn of.
#[derive(Debug)]
enum Shown {
    File(NamedSource<String>),
    /// A piece of a file, and where it starts there.
    Excerpt {
        path: String,
        text: String,
        position: LineColumn,
    },
}

impl SourceCode for Shown {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        match self {
            Self::File(file) => file.read_span(span, before, after),
            Self::Excerpt { path, text, position } => {
                let piece = text.read_span(span, before, after)?;
                let (line, column) = (position.line as usize - 1, position.column as usize - 1);
                let column = if piece.line() == 0 { piece.column() + column } else { piece.column() };
                Ok(Box::new(MietteSpanContents::new_named(
                    path.clone(),
                    piece.data(),
                    *piece.span(),
                    piece.line() + line,
                    column,
                    piece.line_count(),
                )))
            }
        }
    }
}

/// Bytes of the line in which a location starts.
fn line_len(text: &str, location: Location) -> usize {
    let (before, behind) = text.split_at_checked(location.start as usize).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    before.len() - start + behind.find('\n').unwrap_or(behind.len())
}

/// Longer lines are not drawn.
const LINE_BYTES_MAX: usize = 400;
/// What is shown of a place in such a line.
const EXCERPT_CHARS: usize = 40;

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Error for Report<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.as_ref().map(|why| why as &(dyn Error + 'static))
    }
}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.others.iter().map(|other| other as &dyn miette::Diagnostic)))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Why {}
