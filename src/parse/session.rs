//! One source file through swc: scan → blank → parse → verify → resolve scopes.
//!
//! ```text
//! SourceFile → Read { what other files see, and the tree if it is of a module that everything else will look at }
//! SourceFile → ParsedModule { tree after swc's resolver, comments, decorators by the node they precede }
//! ```
//!
//! Positions are those of the file as the user wrote it: decorators are blanked at equal length and a byte order mark
//! becomes three spaces. Nothing here panics on any text: swc's own panics become a diagnostic.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use swc_common::comments::{Comments, SingleThreadedComments};
use swc_common::input::StringInput;
use swc_common::{BytePos, GLOBALS, Globals, Mark, Span, Spanned};
use swc_ecma_ast::{Decl, EsVersion, Expr, ExprOrSpread, Module, ModuleDecl, ModuleItem, Pass, Program};
use swc_ecma_parser::error::{Error as SwcError, SyntaxError};
use swc_ecma_parser::{Lexer, Parser, Syntax, TsSyntax};
use swc_ecma_transforms_base::resolver;

use super::abstracts::Abstracts;
use super::extract::diagnostics::illegal_decorator;
use super::foreign_names::foreign_names;
use super::inspect::Inspected;
use super::limits::{BLAMED_MAX, REPARSES_MAX, SYNTAX_ERRORS_MAX, TRIALS_OF_ONE_TEXT};
use super::module::{DecoratorUse, Decorators, LeadingComments, OWN_PACKAGE, ParsedModule, Scopes, Tables};
use super::opaque::Opaque;
use super::packages::DATA;
use super::scanner::{self, FoundDecorator, Refused};
use super::summary::{Marks, ModuleSummary, SummaryParts};
use super::survey::{Survey, Unbound};
use super::{data, diagnostics, has_jsx, module, syntax_error};
use crate::diag::Diagnostic;
use crate::source::{FileId, Location, SourceFile};

/// What a file is to the others, with its tree if somebody will ask for it, as it says itself or `is_wanted` does.
pub(super) fn summarize(file: FileId, source: &SourceFile, is_wanted: bool) -> Result<Read, Vec<Diagnostic>> {
    guarded(file, source, |session| session.summary(is_wanted))
}

/// The whole of a file.
pub(super) fn parse_file(file: FileId, source: &SourceFile) -> Result<ParsedModule, Vec<Diagnostic>> {
    guarded(file, source, Session::parse)
}

/// The tree of one file before scopes are resolved.
pub(super) fn inspect_file(file: FileId, source: &SourceFile) -> Result<Inspected, Vec<Diagnostic>> {
    guarded(file, source, |session| session.inspect())
}

fn guarded<'s, T>(
    file: FileId,
    source: &'s SourceFile,
    pass: impl FnOnce(Session<'s>) -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    let attempt = catch_unwind(AssertUnwindSafe(|| pass(Session::new(file, source))));
    attempt.unwrap_or_else(|_| {
        // swc panics there even where it only reads on after an error.
        if let Some(dot) = scanner::namespaced_member(&source.text) {
            let at = Location { file, start: offset(dot), end: offset(dot + 1) };
            return Err(vec![diagnostics::tag_name(at)]);
        }
        let start = Location { file, start: 0, end: 0 };
        Err(vec![diagnostics::parser_failed(&source.path).at(start, "somewhere in this file")])
    })
}

/// A file that has been read.
pub struct Read {
    /// What it is to the others.
    pub(crate) summary: ModuleSummary,
    /// Its tree, which takes a moment to make and much memory; kept where it is certain that somebody will ask for it.
    pub(crate) module: Option<Box<ParsedModule>>,
}

impl From<ModuleSummary> for Read {
    fn from(summary: ModuleSummary) -> Self {
        Self { summary, module: None }
    }
}

pub(super) struct Session<'s> {
    file: FileId,
    source: &'s SourceFile,
    tsx: bool,
    text: Cow<'s, str>,
    /// Whether the scanner may find decorators of the vocabulary in it.
    has_vocabulary: bool,
    /// Whether anybody asks for comments.
    with_comments: bool,
}

/// Why there is no tree.
enum Failed {
    TooDeep(Span),
    Syntax(Vec<SwcError>),
}

/// A tree as the parser made it.
struct Tree {
    module: Module,
    comments: SingleThreadedComments,
    survey: Survey,
    /// What swc did not see.
    abstracts: Abstracts,
}

impl<'s> Session<'s> {
    pub(super) fn new(file: FileId, source: &'s SourceFile) -> Self {
        let text = source
            .text
            .strip_prefix('\u{feff}')
            .map_or_else(|| Cow::Borrowed(&*source.text), |rest| Cow::Owned(format!("   {rest}")));
        let text = if source.path.ends_with(DATA) { Cow::Owned(data::module_text(&text)) } else { text };
        let tsx = has_jsx(&source.path);
        let has_vocabulary = scanner::mentions_vocabulary(&text);
        Self { file, source, tsx, text, has_vocabulary, with_comments: true }
    }

    /// The text that is parsed: a byte order mark is spaces in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The decorators of the vocabulary; where the file does not parse, as the scanner sees them.
    pub(super) fn decorators(&self) -> Result<Vec<FoundDecorator>, Refused> {
        let found = scanner::decorators(&self.text, self.tsx)?;
        if found.is_empty() {
            return Ok(found);
        }
        Ok(self.verified_tree(found.clone()).map_or(found, |(_, verified)| verified))
    }

    fn parse(self) -> Result<ParsedModule, Vec<Diagnostic>> {
        let (tree, decorators) = self.decorated_tree()?;
        let path = self.source.path.clone();
        self.module(tree.module, &tree.comments, decorators)
            .ok_or_else(|| vec![diagnostics::parser_failed(&path)])
    }

    fn summary(mut self, is_wanted: bool) -> Result<Read, Vec<Diagnostic>> {
        // Besides, only decorators of the vocabulary may turn out to lie in a comment.
        let is_looked_at = self.has_vocabulary || names_own_package(&self.text);
        self.with_comments = is_looked_at || is_wanted;
        let (tree, decorators) = self.decorated_tree()?;
        let Tree { module, comments, survey, .. } = tree;
        let parts = SummaryParts {
            text: &self.text,
            module: &module,
            tables: Tables::of(&module),
            survey: &survey,
            decorators: &decorators,
        };
        let mut summary = ModuleSummary::of(parts);
        let Survey { mentions, mentions_own, .. } = survey;
        let Marks { forms, .. } = summary.marks;
        if !is_wanted && mentions == Unbound::default() && !(is_looked_at && (forms || mentions_own)) {
            return Ok(Read { summary, module: None });
        }
        let module = self.module(module, &comments, decorators);
        if mentions != Unbound::default()
            && let Some(module) = &module
        {
            // Canvases have a `ctx` as well; only scopes tell.
            let unbound = module.in_globals(|| Unbound::of(module));
            summary.marks.injected = mentions.injected && unbound.injected;
            summary.marks.own = mentions_own || (mentions.own && unbound.own);
        }
        let Marks { own, injected, .. } = summary.marks;
        let is_kept = is_wanted || (is_looked_at && (forms || own || injected));
        Ok(Read { summary, module: module.filter(|_| is_kept).map(Box::new) })
    }

    /// `None` when swc makes something else of a tree.
    fn module(
        self,
        module: Module,
        comments: &SingleThreadedComments,
        decorators: Decorators,
    ) -> Option<ParsedModule> {
        let comments = LeadingComments::of(comments, &self.text, START, &decorators);
        let (globals, scopes, module) = resolved(module);
        Some(ParsedModule::new(module::Parts {
            file: self.file,
            path: self.source.path.clone(),
            module: module?,
            comments,
            text: match self.text {
                Cow::Borrowed(_) => self.source.text.clone(),
                Cow::Owned(text) => text.into(),
            },
            globals,
            decorators,
            scopes,
        }))
    }

    /// The tree, and the decorators by the node they precede.
    fn decorated_tree(&self) -> Result<(Tree, Decorators), Vec<Diagnostic>> {
        let (tree, found) = self.read()?;
        let decorators = self.attach(found)?;
        Ok((tree, decorators))
    }

    fn read(&self) -> Result<(Tree, Vec<FoundDecorator>), Vec<Diagnostic>> {
        if !self.has_vocabulary && scanner::is_modest(&self.text) {
            return self.verified_tree(Vec::new()).map_err(|errors| self.blamed(errors));
        }
        let found = scanner::decorators(&self.text, self.tsx).map_err(|refused| {
            vec![match refused {
                Refused::TooDeep(at) => diagnostics::too_deep(self.location(at, at + 1)),
                Refused::TagName(at) => diagnostics::tag_name(self.location(at, at + 1)),
            }]
        })?;
        self.verified_tree(found).map_err(|errors| self.blamed(errors))
    }

    /// The decorators of others without which the file would parse, as the cause of its errors.
    fn blamed(&self, errors: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let Ok(all) = scanner::all_decorators(&self.text, self.tsx) else { return errors };
        let ours = |found: &FoundDecorator| {
            scanner::VOCABULARY.contains(&&self.text[found.name_start..found.name_end])
        };
        let foreign = all.iter().filter(|found| !ours(found)).count();
        if !(1..=BLAMED_MAX).contains(&foreign) || self.parsed(&scanner::blank(&self.text, &all)).is_err() {
            return errors;
        }
        let breaks = |found: &&FoundDecorator| {
            let others: Vec<FoundDecorator> =
                all.iter().filter(|other| other.at != found.at).cloned().collect();
            self.parsed(&scanner::blank(&self.text, &others)).is_err()
        };
        let causes = all.iter().filter(|found| !ours(found)).filter(breaks);
        let illegal: Vec<Diagnostic> = causes.map(|found| self.illegal(found)).collect();
        if illegal.is_empty() { errors } else { illegal }
    }

    fn illegal(&self, found: &FoundDecorator) -> Diagnostic {
        let name = &self.text[found.name_start..found.name_end];
        illegal_decorator(name, self.location(found.at, found.name_end))
    }

    /// The parser drops decorators of an arrow's parameters, so that one that is misspelt would vanish.
    fn refuse_dropped(&self, opaque: &Opaque) -> Result<(), Vec<Diagnostic>> {
        let Ok(all) = scanner::all_decorators(&self.text, self.tsx) else { return Ok(()) };
        let kept = |found: &FoundDecorator| {
            let ours = scanner::VOCABULARY.contains(&&self.text[found.name_start..found.name_end]);
            ours || opaque.covers(found.at) || opaque.decorators.contains(&found.at)
        };
        let dropped: Vec<Diagnostic> =
            all.iter().filter(|found| !kept(found)).map(|found| self.illegal(found)).collect();
        if dropped.is_empty() { Ok(()) } else { Err(dropped) }
    }

    fn inspect(self) -> Result<Inspected, Vec<Diagnostic>> {
        let (tree, found) = self.read()?;
        let text = scanner::blank(&self.text, &found);
        let decorators = self.attach(found)?;
        let Tree { module, comments, .. } = tree;
        Ok(Inspected::new(&self.source.path, self.text.into_owned(), module, comments, text, decorators))
    }

    /// Parses with the decorators blanked, and without those that turn out to be text or to be someone else's.
    fn verified_tree(
        &self,
        mut found: Vec<FoundDecorator>,
    ) -> Result<(Tree, Vec<FoundDecorator>), Vec<Diagnostic>> {
        if !self.has_vocabulary {
            let tree = self.tree(&self.text)?;
            if scanner::decorates_parameter(&self.text) {
                self.refuse_dropped(&Opaque::of(&tree.module, &tree.comments, START))?;
            }
            return Ok((tree, Vec::new()));
        }
        for _ in 0..REPARSES_MAX {
            let tree = self.tree(&scanner::blank(&self.text, &found))?;
            let opaque = Opaque::of(&tree.module, &tree.comments, START);
            let wrong: BTreeSet<usize> =
                found.iter().map(|decorator| decorator.at).filter(|at| opaque.covers(*at)).collect();
            if wrong.is_empty() {
                self.refuse_missed(&found, &opaque)?;
                if scanner::decorates_parameter(&self.text) {
                    self.refuse_dropped(&opaque)?;
                }
                return Ok(self.without_foreign(tree, found));
            }
            found.retain(|decorator| !wrong.contains(&decorator.at));
        }
        Err(vec![
            diagnostics::parser_failed(&self.source.path).at(self.location(0, 0), "somewhere in this file"),
        ])
    }

    /// Leaves decorators alone whose name the module declares or imports from elsewhere, where the result parses.
    fn without_foreign(&self, tree: Tree, found: Vec<FoundDecorator>) -> (Tree, Vec<FoundDecorator>) {
        let foreign = foreign_names(&tree.module);
        let is_foreign = |decorator: &FoundDecorator| {
            foreign.contains(&self.text[decorator.name_start..decorator.name_end])
        };
        if !found.iter().any(is_foreign) {
            return (tree, found);
        }
        let own: Vec<FoundDecorator> =
            found.iter().filter(|decorator| !is_foreign(decorator)).cloned().collect();
        match self.tree(&scanner::blank(&self.text, &own)) {
            Ok(tree) => (tree, own),
            Err(_) => (tree, found),
        }
    }

    /// The scanner and the parser must agree about every `@word` of the vocabulary.
    fn refuse_missed(&self, found: &[FoundDecorator], opaque: &Opaque) -> Result<(), Vec<Diagnostic>> {
        let mut missed = Vec::new();
        for at in memchr::memchr_iter(b'@', self.text.as_bytes()) {
            let before = found.partition_point(|decorator| decorator.at <= at);
            let known = before.checked_sub(1).is_some_and(|last| at < found[last].next);
            let rest = &self.text[at + 1..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            let ours = scanner::VOCABULARY.contains(&&rest[..end]);
            if ours && !known && !opaque.covers(at) && !opaque.decorators.contains(&at) {
                missed.push(diagnostics::misplaced_decorator(&rest[..end], self.location(at, at + 1 + end)));
            }
        }
        if missed.is_empty() { Ok(()) } else { Err(missed) }
    }

    fn tree(&self, text: &str) -> Result<Tree, Vec<Diagnostic>> {
        let tree = self.parsed(text).map_err(|errors| match errors {
            Failed::TooDeep(span) => vec![diagnostics::too_deep(self.span(span))],
            Failed::Syntax(errors) => {
                let inside =
                    self.without_export(text, &errors).or_else(|| self.within_brackets(text, &errors));
                inside.unwrap_or_else(|| self.syntax_errors(text, &errors))
            }
        })?;
        let hidden = self.hidden_errors(text, &tree);
        if !hidden.is_empty() {
            return Err(self.syntax_errors(text, &hidden));
        }
        let gaps = tree.survey.seams.iter().filter_map(|seam| seam.gap(text, START));
        let shown = |(what, at): (&str, usize)| {
            let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
            diagnostics::syntax_error(&format!("{what} expected"), self.location(at, end))
        };
        let found: Vec<Diagnostic> = gaps.take(SYNTAX_ERRORS_MAX).map(shown).collect();
        if found.is_empty() { Ok(tree) } else { Err(found) }
    }

    fn parsed(&self, text: &str) -> Result<Tree, Failed> {
        let mut errors = match self.parsed_without(Abstracts::default(), text) {
            Err(Failed::Syntax(errors)) if text.contains('@') => errors,
            parsed => return parsed,
        };
        let mut abstracts = Abstracts::of(text, self.tsx);
        for round in 0..REPARSES_MAX {
            let gave_up = errors.last().map_or(0, |last| last.span().lo.0.saturating_sub(START.0) as usize);
            if !abstracts.add(text, gave_up) && (round > 0 || abstracts.is_empty()) {
                break;
            }
            match self.parsed_without(abstracts.clone(), text) {
                Err(Failed::Syntax(found)) => errors = found,
                parsed => return parsed,
            }
        }
        Err(Failed::Syntax(errors))
    }

    fn parsed_without(&self, abstracts: Abstracts, text: &str) -> Result<Tree, Failed> {
        let comments = SingleThreadedComments::default();
        let kept = self.with_comments.then_some(&comments as &dyn Comments);
        let blanked = abstracts.blank(text);
        let input = StringInput::new(&blanked, START, START + len_pos(text.len()));
        let mut parser = Parser::new_from(Lexer::new(self.syntax(), EsVersion::latest(), input, kept));
        let parsed = parser.parse_module();
        let mut errors = parser.take_errors();
        // What only says that something is there may call it as it likes.
        let is_reserved = |error: &SwcError| matches!(error.kind(), SyntaxError::InvalidIdentInStrict(_));
        errors.retain(|error| !self.is_declaration() || !is_reserved(error));
        match parsed {
            Err(error) => {
                errors.push(error);
                Err(Failed::Syntax(errors))
            }
            Ok(mut module) => {
                errors.retain(|error| !is_reserved(error) || !is_declared(&module, error.span()));
                let survey = Survey::of(&module);
                if let Some(deep) = survey.exceeded {
                    // Dropping the tree would recurse as deep as it is nested.
                    std::mem::forget(module);
                    return Err(Failed::TooDeep(deep));
                }
                abstracts.restore(&mut module, &mut errors, START);
                if errors.is_empty() {
                    Ok(Tree { module, comments, survey, abstracts })
                } else {
                    Err(Failed::Syntax(errors))
                }
            }
        }
    }

    /// The errors in exported namespaces and abstract classes, which swc reads on trial and then says nothing about.
    fn hidden_errors(&self, text: &str, tree: &Tree) -> Vec<SwcError> {
        let exported = tree.module.body.iter().filter_map(|item| match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => Some(&export.decl),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
        });
        let read_on_trial = exported.filter(|decl| match decl {
            // What only says that something is there looks otherwise.
            Decl::TsModule(module) => !module.declare,
            Decl::Class(class) => !class.declare && class.class.is_abstract,
            _ => false,
        });
        let text = tree.abstracts.blank(text);
        let mut found: Vec<SwcError> =
            read_on_trial.flat_map(|decl| self.errors_between(&text, decl.span())).collect();
        found.retain(|error| tree.abstracts.is_empty() || !matches!(error.kind(), SyntaxError::TS1244));
        let mut bytes_read = 0;
        for body in &tree.survey.trials {
            bytes_read += (body.hi.0 - body.lo.0) as usize;
            if bytes_read > text.len() * TRIALS_OF_ONE_TEXT {
                break;
            }
            // By itself it may lack the function around it.
            let errors = self.errors_between(&text, *body).into_iter();
            found.extend(errors.filter(|error| syntax_error::stands_alone(error.kind())));
        }
        found
    }

    /// What is wrong with a part of a text by itself: a declaration or a block.
    fn errors_between(&self, text: &str, span: Span) -> Vec<SwcError> {
        let place = (span.lo.0 - START.0) as usize..(span.hi.0 - START.0) as usize;
        let Some(text) = text.get(place) else { return Vec::new() };
        let input = StringInput::new(text, span.lo, span.hi);
        let mut parser = Parser::new_from(Lexer::new(self.syntax(), EsVersion::latest(), input, None));
        let parsed = parser.parse_module();
        let mut found = parser.take_errors();
        found.extend(parsed.err());
        found
    }

    /// The errors at the places where TypeScript shows them.
    fn syntax_errors(&self, text: &str, errors: &[SwcError]) -> Vec<Diagnostic> {
        let base = START.0;
        let start = |error: &SwcError| (error.span().lo.0.saturating_sub(base) as usize).min(text.len());
        // What a parser says after an error may only follow from it; so may what the checker would say.
        let of_parser = errors.iter().any(|error| !syntax_error::is_left_to_the_checker(error.kind()));
        let shown =
            errors.iter().filter(|error| !of_parser || !syntax_error::is_left_to_the_checker(error.kind()));
        let diagnostic = |error: &SwcError| {
            let at = syntax_error::place(error.kind(), text, start(error));
            let end = (error.span().hi.0.saturating_sub(base) as usize).min(text.len());
            let next = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            let location = self.location(at, if at == start(error) { end.max(next) } else { next });
            diagnostics::syntax_error(&error.kind().msg(), location)
        };
        let mut found: Vec<Diagnostic> = shown.take(SYNTAX_ERRORS_MAX).map(diagnostic).collect();
        found.sort_by_key(|error| error.labels.first().map(|label| label.location.start));
        found
    }

    /// What is wrong in an exported declaration: swc only says of the whole of it that it is none.
    fn without_export(&self, text: &str, errors: &[SwcError]) -> Option<Vec<Diagnostic>> {
        let last = errors.last()?;
        let start = (last.span().lo.0.saturating_sub(START.0) as usize).min(text.len());
        let export = syntax_error::export_before(last.kind(), text, start)?;
        let mut blanked = text.to_owned();
        blanked.replace_range(export..export + "export".len(), "      ");
        match self.parsed(&blanked) {
            Err(Failed::Syntax(errors)) => Some(self.syntax_errors(&blanked, &errors)),
            Err(Failed::TooDeep(_)) | Ok(_) => None,
        }
    }

    /// What is wrong beside imports and exports inside of brackets.
    fn within_brackets(&self, text: &str, errors: &[SwcError]) -> Option<Vec<Diagnostic>> {
        let last = errors.last().filter(|last| syntax_error::is_nested_export(last.kind()))?;
        let start = (last.span().lo.0.saturating_sub(START.0) as usize).min(text.len());
        let read = syntax_error::without_exports(text, start);
        match self.parsed(&read) {
            Err(Failed::Syntax(errors)) => Some(self.syntax_errors(&read, &errors)),
            Err(Failed::TooDeep(_)) | Ok(_) => None,
        }
    }

    fn attach(&self, found: Vec<FoundDecorator>) -> Result<Decorators, Vec<Diagnostic>> {
        let mut attached = Decorators::new();
        let mut errors = Vec::new();
        for decorator in found {
            let name = self.text[decorator.name_start..decorator.name_end].to_owned();
            let at = self.location(decorator.at, decorator.end);
            let arguments = match self.arguments(&decorator) {
                Some(arguments) => arguments,
                None => {
                    errors.push(diagnostics::decorator_arguments(&name, at));
                    continue;
                }
            };
            let key = offset(decorator.foreign.unwrap_or(decorator.target));
            attached.entry(key).or_default().push(DecoratorUse { name, arguments, location: at });
        }
        if errors.is_empty() { Ok(attached) } else { Err(errors) }
    }

    /// The argument list, parsed at its own position; `None` when it is not one.
    pub(super) fn arguments(&self, decorator: &FoundDecorator) -> Option<Option<Vec<ExprOrSpread>>> {
        if !decorator.has_arguments {
            return Some(None);
        }
        let text = self.text.get(decorator.name_start..decorator.end)?;
        let start = START + len_pos(decorator.name_start);
        let input = StringInput::new(text, start, start + len_pos(text.len()));
        // Arguments are values, in a declaration file too.
        let syntax = self.syntax_of(false);
        let mut parser = Parser::new_from(Lexer::new(syntax, EsVersion::latest(), input, None));
        let parsed = parser.parse_expr().ok()?;
        match *parsed {
            Expr::Call(call) if call.span.hi == start + len_pos(text.len()) => Some(Some(call.args)),
            _ => None,
        }
    }

    fn syntax(&self) -> Syntax {
        self.syntax_of(self.is_declaration())
    }

    fn is_declaration(&self) -> bool {
        [".d.ts", ".d.mts", ".d.cts"].iter().any(|end| self.source.path.ends_with(end))
    }

    fn syntax_of(&self, dts: bool) -> Syntax {
        Syntax::Typescript(TsSyntax { tsx: self.tsx, decorators: true, dts, ..Default::default() })
    }

    fn span(&self, span: Span) -> Location {
        let start = START.0;
        let len = offset(self.text.len());
        let end = span.hi.0.saturating_sub(start).min(len);
        let start = span.lo.0.saturating_sub(start).min(end);
        if start < end || len == 0 {
            return Location { file: self.file, start, end };
        }
        // An error at the end is shown at the last character.
        let shown = self.text.trim_end().char_indices().next_back().map_or(0, |(at, _)| offset(at));
        Location { file: self.file, start: shown.min(start), end: end.max(shown + 1).min(len) }
    }

    fn location(&self, start: usize, end: usize) -> Location {
        Location { file: self.file, start: offset(start), end: offset(end.min(self.text.len())) }
    }
}

/// Whether a text may import the package `kontract`.
fn names_own_package(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), OWN_PACKAGE)
        .any(|at| matches!(text.as_bytes().get(at + OWN_PACKAGE.len()), Some(b'\'' | b'"' | b'`')))
}

/// A tree with its scopes; without the tree when swc makes something else of it.
fn resolved(module: Module) -> (Globals, Scopes, Option<Module>) {
    let globals = Globals::new();
    let (scopes, program) = GLOBALS.set(&globals, || {
        let scopes = Scopes { unresolved: Mark::new(), top_level: Mark::new() };
        let mut program = Program::Module(module);
        resolver(scopes.unresolved, scopes.top_level, true).process(&mut program);
        (scopes, program)
    });
    (globals, scopes, program.module())
}

/// Whether a place lies in a statement with `declare`.
fn is_declared(module: &Module, place: Span) -> bool {
    let declares = |decl: &Decl| match decl {
        Decl::Class(class) => class.declare,
        Decl::Fn(function) => function.declare,
        Decl::Var(vars) => vars.declare,
        Decl::TsEnum(declared) => declared.declare,
        Decl::TsModule(declared) => declared.declare,
        Decl::TsInterface(_) | Decl::TsTypeAlias(_) | Decl::Using(_) => false,
    };
    let around = module.body.iter().filter(|item| item.span().contains(place));
    around.filter_map(module::item_decl).any(declares)
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn len_pos(len: usize) -> BytePos {
    BytePos(offset(len))
}

/// Where the text of every file starts.
pub(super) const START: BytePos = BytePos(1);
