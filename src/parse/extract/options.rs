//! What the argument of `backend` says.

use super::form::FormOptions;
use super::{Extraction, diagnostics};
use crate::contract::{EndpointOptions, MAX_BYTES_MAX, Perms};
use crate::parse::literal::{Constant, option_entries};

/// The endpoint's name and its policy; what is wrong with either is reported.
pub(super) fn endpoint_options<'g>(
    extraction: &mut Extraction<'g>,
    own_name: &str,
    given: &FormOptions<'g>,
) -> (String, EndpointOptions) {
    let mut name = own_name.to_owned();
    // Without `perm` an endpoint may do nothing with storage but read.
    let mut options = EndpointOptions { ugroup: None, perm: Perms::R, egroup: None, max_bytes: None };
    let entries = match option_entries(extraction.graph, &given.place, given.arguments) {
        Ok(entries) => entries,
        Err(found) => {
            let used = given
                .arguments
                .first()
                .map(|argument| given.place.module.location(swc_common::Spanned::span(argument)));
            extraction.diagnostics.push(diagnostics::not_constant("backend", &found, used));
            return (name, options);
        }
    };
    for entry in entries {
        if !diagnostics::ENDPOINT_OPTIONS.contains(&entry.key.as_str()) {
            extraction.diagnostics.push(diagnostics::unknown_option(&entry.key, entry.key_location));
            continue;
        }
        let value = match entry.value {
            Ok(value) => value,
            Err(found) => {
                let used = Some(entry.value_location);
                extraction.diagnostics.push(diagnostics::not_constant("backend", &found, used));
                continue;
            }
        };
        match (entry.key.as_str(), value) {
            (_, Constant::Undefined) => {}
            ("perm", Constant::Perms(perm)) => options.perm = perm,
            ("perm", Constant::Number(bits)) if perms_of(bits).is_some() => {
                options.perm = perms_of(bits).unwrap_or(options.perm);
            }
            ("maxBytes", Constant::Number(bytes)) if bytes_of(bytes).is_some() => {
                options.max_bytes = bytes_of(bytes);
            }
            ("ugroup", Constant::Text(text)) if !text.is_empty() => options.ugroup = Some(text),
            ("egroup", Constant::Text(text)) if !text.is_empty() => options.egroup = Some(text),
            ("name", Constant::Text(text)) if !text.is_empty() => name = text,
            (key, value) => {
                let at = entry.value_location;
                extraction.diagnostics.push(diagnostics::bad_option(key, &value, at));
            }
        }
    }
    (name, options)
}

/// Permissions as a number, which enums of TypeScript give.
fn perms_of(bits: f64) -> Option<Perms> {
    (0..=7_u8).find(|known| f64::from(*known) == bits).and_then(Perms::from_bits)
}

/// A whole number of bytes, from one up to the most that there may be.
fn bytes_of(bytes: f64) -> Option<u32> {
    let is_count = bytes.fract() == 0.0 && (1.0..=f64::from(MAX_BYTES_MAX)).contains(&bytes);
    let count = bytes as u32;
    is_count.then_some(count)
}
