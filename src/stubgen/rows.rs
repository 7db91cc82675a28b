//! How rows lie in JSON: for each object type that rows consist of, the fields that JSON has no form for.
//!
//! ```text
//! interface Entry { id: string; createdAt: Date; edits?: Edit[] }   →   { entity: "Entry", types: {
//! interface Edit { at: Date; by: string }                                   Entry: { createdAt: "date", edits: ["array", ["object", "Edit"]] },
//!                                                                           Edit: { at: "date" } } }
//! ```
//!
//! `npm/kontract/src/server/rows.ts` makes converters of it when the Worker starts.

use crate::contract::signature::object_keys;
use crate::contract::{Contract, Literal, Ty};
use crate::emit::build::{array, boolean, null, number, object, string};
use std::collections::BTreeSet;
use swc_ecma_ast::Expr;

/// The `row` of a table's entry in `tables.js`.
pub(super) fn row_forms(contract: &Contract, entity: &str) -> Expr {
    let rows = Rows::of(contract, entity);
    let types: Vec<(&str, Expr)> =
        rows.converted.iter().map(|key| (key.as_str(), rows.fields(key))).collect();
    object([("entity", string(entity)), ("types", object(types))])
}

struct Rows<'a> {
    contract: &'a Contract,
    /// Object types with anything to convert, however deep.
    converted: BTreeSet<String>,
}

impl<'a> Rows<'a> {
    fn of(contract: &'a Contract, entity: &str) -> Self {
        let mut rows = Self { contract, converted: BTreeSet::new() };
        let keys = object_keys(contract, [&Ty::Object(entity.to_owned())]);
        // A type may contain itself, so that what one needs may follow from what another one turned out to need.
        loop {
            let needs = |key: &&String| !rows.converted.contains(*key) && rows.needs_conversion(key);
            let found: Vec<String> = keys.iter().filter(needs).cloned().collect();
            if found.is_empty() {
                return rows;
            }
            rows.converted.extend(found);
        }
    }

    fn needs_conversion(&self, key: &str) -> bool {
        let fields = self.contract.types.get(key).map_or(&[][..], |object| &object.fields);
        fields.iter().any(|field| self.form(&field.ty).is_some())
    }

    fn fields(&self, key: &str) -> Expr {
        let fields = self.contract.types.get(key).map_or(&[][..], |object| &object.fields);
        object(fields.iter().filter_map(|field| Some((field.name.as_str(), self.form(&field.ty)?))))
    }

    /// How a value is converted; `None` where JSON has it as it is.
    fn form(&self, ty: &Ty) -> Option<Expr> {
        match ty {
            Ty::Date => Some(string("date")),
            Ty::BigInt(_) => Some(string("bigint")),
            Ty::Bytes => Some(string("bytes")),
            Ty::Dynamic(_) => Some(string("any")),
            Ty::Literals(values) => {
                values.iter().any(|value| matches!(value, Literal::BigInt(_))).then(|| string("any"))
            }
            // A value says which member it is only if it says what it is itself.
            Ty::Union(members) => {
                members.iter().any(|member| self.form(member).is_some()).then(|| string("any"))
            }
            Ty::Object(key) => {
                self.converted.contains(key).then(|| array(vec![string("object"), string(key)]))
            }
            Ty::Array(of) => Some(array(vec![string("array"), self.element(of)?])),
            Ty::Record(_, of) => Some(array(vec![string("record"), self.element(of)?])),
            Ty::Set(of) => Some(array(vec![string("set"), self.element_or_null(of)])),
            Ty::Map(key, value) => {
                Some(array(vec![string("map"), self.element_or_null(key), self.element_or_null(value)]))
            }
            Ty::Tuple(elements) => {
                let form = |element: &crate::contract::TupleElement| {
                    let optional = element.optional && !element.rest;
                    let ty = if optional { &Ty::Optional(Box::new(element.ty.clone())) } else { &element.ty };
                    self.element(ty)
                };
                let forms: Vec<Option<Expr>> = elements.iter().map(form).collect();
                forms.iter().any(Option::is_some).then(|| {
                    let rest = elements.iter().position(|element| element.rest);
                    let rest = rest.and_then(|rest| u32::try_from(rest).ok()).map_or_else(null, number);
                    let forms = forms.into_iter().map(|form| form.unwrap_or_else(null)).collect();
                    array(vec![string("tuple"), array(forms), rest])
                })
            }
            Ty::Nullable(of) | Ty::Optional(of) | Ty::Spelled(of, _) => self.form(of),
            Ty::String
            | Ty::Boolean
            | Ty::Number(_)
            | Ty::Null
            | Ty::Template(_)
            | Ty::Void
            | Ty::Stream(_)
            | Ty::ByteStream
            | Ty::Blob
            | Ty::File => None,
        }
    }

    /// As [`Self::form`], where JSON cannot leave out what is `undefined`.
    fn element(&self, ty: &Ty) -> Option<Expr> {
        let (mut optional, mut nullable, mut inner) = (false, false, ty);
        loop {
            match inner {
                Ty::Optional(of) => (optional, inner) = (true, of),
                Ty::Nullable(of) => (nullable, inner) = (true, of),
                _ => break,
            }
        }
        let form = self.form(inner);
        if !optional {
            return form;
        }
        Some(array(vec![string("maybe"), form.unwrap_or_else(null), boolean(nullable)]))
    }

    fn element_or_null(&self, ty: &Ty) -> Expr {
        self.element(ty).unwrap_or_else(null)
    }
}
