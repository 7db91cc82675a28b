//! Declarations of the statements that stay beside stubs.
//!
//! ```text
//! label: (of: Entry) => string   →   export declare const label: (of: Entry) => string;
//! ```

use super::Exported;
use super::writer::Declarations;
use crate::parse::types::flat::{FlatMember, FlatModule, FlatShape, FlatType, FlatValue};

impl Declarations {
    /// Every type and value of a module.
    pub(super) fn flat(&mut self, module: &FlatModule) {
        for declared in &module.types {
            self.blank();
            self.flat_type(declared);
        }
        for value in &module.values {
            self.blank();
            self.flat_value(value);
        }
    }

    fn flat_type(&mut self, declared: &FlatType) {
        let (before, behind) = match &declared.shape {
            FlatShape::Interface(_) => ("export interface ", " {".to_owned()),
            FlatShape::Alias(ty) => ("export type ", format!(" = {ty};")),
        };
        self.doc(&declared.doc);
        match declared.location {
            Some(location) => self.declare(before, (&declared.name, location), &behind),
            None => self.line(&format!("{before}{}{behind}", declared.name)),
        }
        if let FlatShape::Interface(members) = &declared.shape {
            self.indent();
            for member in members {
                self.flat_member(member);
            }
            self.close("}");
        }
    }

    fn flat_member(&mut self, member: &FlatMember) {
        self.doc(&member.doc);
        let before = if member.readonly { "readonly " } else { "" };
        let behind = format!("{};", member.behind);
        match member.location {
            Some(location) => self.declare(before, (&member.name, location), &behind),
            None => self.line(&format!("{before}{}{behind}", member.name)),
        }
    }

    fn flat_value(&mut self, value: &FlatValue) {
        let declared = Exported::of(&value.export);
        self.doc(&value.doc);
        self.declare(declared.before, (&declared.local, value.location), &format!(": {};", value.ty));
        declared.export(self);
    }
}
