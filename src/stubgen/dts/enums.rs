//! The enums that types are spelled by. TypeScript takes enums of one name and the same members for each other, so that
//! what an endpoint gives fits the enum that the user's own code declares.
//!
//! ```text
//! export enum Color { Red = 'red' }   →   export declare enum Color { Red = "red" }
//! ```

use super::writer::{Declarations, property};
use crate::contract::signature::literal_text;
use crate::contract::{Contract, EnumType};
use std::collections::BTreeSet;

/// How types refer to the enums, before it is known where these are from there.
pub(super) const ENUMS: &str = "import(\"kontract:enums\")";
/// Where the client has them.
pub(super) const FILE: &str = "kontract-enums.js";
/// Where server code has them.
pub(super) const NAMESPACE: &str = "kontract.enums";

/// The enums of what clients send and get.
pub(super) fn of_clients(contract: &Contract) -> Option<Declarations> {
    let keys = contract.enums_of_clients();
    if keys.is_empty() {
        return None;
    }
    let mut out = Declarations::new();
    out.enums(contract, &keys, "export declare ");
    Some(out)
}

impl Declarations {
    pub(super) fn enums(&mut self, contract: &Contract, keys: &BTreeSet<String>, before: &str) {
        for (key, declared) in contract.enums.iter().filter(|(key, _)| keys.contains(*key)) {
            self.blank();
            if *key == declared.name {
                self.enumeration(before, declared);
                continue;
            }
            // The second of its name.
            self.open(&format!("{before}namespace {key} {{"));
            self.enumeration("", declared);
            self.close("}");
        }
    }

    fn enumeration(&mut self, before: &str, declared: &EnumType) {
        self.open(&format!("{before}enum {} {{", declared.name));
        for (name, value) in &declared.members {
            self.line(&format!("{} = {},", property(name), literal_text(value)));
        }
        self.close("}");
    }
}
