//! Bounds on what a source file may contain.

/// How deep brackets and JSX elements, and the nodes of a syntax tree, may be nested.
pub(crate) const NESTING_MAX: usize = 2_000;

/// Bytes of stack for the recursive passes over a tree of [`NESTING_MAX`] nested nodes.
pub(crate) const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Steps of evaluating a constant or following re-exports; beyond that there is a circle.
pub(crate) const HOPS_MAX: usize = 64;

/// How deep namespaces in namespaces are searched for what they re-export of the package `kontract`.
pub(crate) const NAMESPACES_MAX: usize = 3;

/// How often a file is parsed again when blanked text turns out to be inside of a string or comment.
pub(crate) const REPARSES_MAX: usize = 4;

/// With less stack than this left, a file is parsed on a stack of its own.
pub(crate) const STACK_SPARE_BYTES: usize = STACK_BYTES / 4;

/// Steps of evaluating one list of options.
pub(crate) const EVALUATION_STEPS_MAX: usize = 100_000;

/// Bytes of a text that is evaluated.
pub(crate) const CONSTANT_BYTES_MAX: usize = 64 * 1024;

/// Middlewares of a project; spreads of spreads could double with every line.
pub(crate) const MIDDLEWARES_MAX: usize = 1_000;

/// Steps of evaluating one annotation or the result of one function.
pub(crate) const TYPE_STEPS_MAX: usize = 300_000;

/// How deep types may be evaluated within each other.
pub(crate) const TYPE_DEPTH_MAX: usize = 400;

/// Conditions in the false branch of conditions, each tried when the one before it does not hold.
pub(crate) const TYPE_TAILS_MAX: usize = 1_000;

/// Members of a union, and alternatives of a template literal type.
pub(crate) const UNION_MEMBERS_MAX: usize = 20_000;

/// How deep two types are compared.
pub(crate) const RELATION_DEPTH_MAX: usize = 60;

/// How long a regular expression may be for the scanner to see that it is one.
pub(crate) const REGEX_BYTES_MAX: usize = 64 * 1024;

/// How many `<` may stand open in one bracket, and how many labels, words and type assertions may follow each other. The
/// parser's time for these grows with the square of their number.
pub(crate) const ANGLES_MAX: usize = 256;

/// Texts of up to so many bytes are only counted through before they are parsed.
pub(crate) const MODEST_BYTES: usize = 32 * 1024;

/// How many operators one expression may have: the parser recurses for those that nest to the right.
pub(crate) const OPERATORS_MAX: usize = 5_000;

/// How many syntax errors of one file are shown, the first ones.
pub(crate) const SYNTAX_ERRORS_MAX: usize = 20;

/// How often the bytes of a text are read again inside of functions that the parser reads on trial; these may be nested.
pub(crate) const TRIALS_OF_ONE_TEXT: usize = 4;

/// Of more decorators in a file that does not parse, none is blamed for it: each costs a parse.
pub(crate) const BLAMED_MAX: usize = 32;
