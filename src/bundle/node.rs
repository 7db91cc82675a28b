//! The modules of Node.js in a Worker: those that workerd has, and those of them that only look as if they worked.
//!
//! Measured with workerd 1.20261117 and the compatibility date of `config.rs`: each was imported, and the functions that
//! people use it for were called.

/// Whether workerd has a module of this name, with or without `node:`.
pub fn is_there(name: &str) -> bool {
    let bare = name.strip_prefix("node:").unwrap_or(name);
    THERE.contains(&bare) || (bare != name && ONLY_WITH_PREFIX.contains(&bare))
}

/// Whether a name can only mean one of Node.js, in workerd or not; `punycode/` is how packages ask for the package.
pub fn is_named(name: &str) -> bool {
    name.starts_with("node:") || name.split('/').next().is_some_and(|module| THERE.contains(&module))
}

/// What does not work of a module that can be imported.
pub fn hollow(name: &str) -> Option<&'static str> {
    let bare = name.strip_prefix("node:").unwrap_or(name);
    HOLLOW.iter().find(|(module, _)| *module == bare).map(|(_, what)| *what)
}

/// Names without `node:`; packages written before it existed use them.
pub const THERE: &[&str] = &[
    "assert",
    "assert/strict",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "dns/promises",
    "domain",
    "events",
    "fs",
    "fs/promises",
    "http",
    "http2",
    "https",
    "inspector",
    "inspector/promises",
    "module",
    "net",
    "os",
    "path",
    "path/posix",
    "path/win32",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "readline/promises",
    "repl",
    "stream",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "string_decoder",
    "sys",
    "timers",
    "timers/promises",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "util/types",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

const ONLY_WITH_PREFIX: &[&str] = &["sqlite", "test"];

/// What throws when it is called.
const HOLLOW: &[(&str, &str)] = &[
    ("child_process", "a Worker cannot start processes"),
    ("cluster", "a Worker cannot start processes"),
    ("dgram", "a Worker has no UDP"),
    ("domain", "domains do nothing there"),
    ("http2", "HTTP/2 is the platform's business, `fetch` uses it"),
    ("inspector", "a Worker cannot inspect itself"),
    ("repl", "a Worker has no terminal"),
    ("sqlite", "a Worker has no files to keep a database in"),
    ("test", "tests run in Node.js"),
    ("vm", "a Worker must not make code from strings"),
    ("wasi", "workerd has no WASI"),
    ("worker_threads", "a Worker is one thread"),
];
