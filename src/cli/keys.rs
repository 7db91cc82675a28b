//! `kontract keys rotate`: new static keys, without an outage for clients that are deployed.
//!
//! ```text
//! current A, backup B  →  current B, backup C        clients that pin A and B find B
//! ```

use super::args::KeysCommand;
use super::error::CliError;
use super::report::Reporter;
use super::secrets::{Secrets, rotate};
use serde_json::json;

/// Runs a subcommand.
pub(super) fn run(command: &KeysCommand, reporter: Reporter) -> Result<(), CliError> {
    let KeysCommand::Rotate(args) = command;
    let rotated = rotate(&Secrets::load(&args.project)?, &args.project)?;
    let variables = rotated.secrets.rotated_variables();
    if rotated.written {
        let names = variables.each_ref().map(|(name, _)| *name);
        reporter.say("rotated the keys in .dev.vars; clients of the last build go on working with the backup key they pin");
        reporter.answer(&names.join("\n"), &json!({ "event": "rotated", "written": ".dev.vars" }));
    } else {
        reporter.say(
            "the keys are in the environment, which this program cannot change: set these secrets there \
             (`wrangler secret put NAME` for a Worker), then build and deploy",
        );
        let lines: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let values = variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        let values: serde_json::Map<String, serde_json::Value> = values.collect();
        reporter.answer(&lines.join("\n"), &json!({ "event": "rotated", "secrets": values }));
    }
    reporter.say("rotate again only when no client of the build before this rotation is left: it pins no key of that time");
    Ok(())
}
