//! `lazy.d.ts`: the endpoints whose results are read where they are looked at, and the types of what they give.
//!
//! ```text
//! listEntries(): Promise<Entry[]>   →   export declare const listEntries: { (): Promise<readonly LazyEntry[]>; … };
//!                                       export interface LazyEntry { readonly id: string; toJSON(): Entry }
//! ```

use super::types::{params, text};
use super::writer::{Declarations, property};
use super::{Exported, OPTIONS, options_name};
use crate::contract::signature::endpoint_object_keys;
use crate::contract::{Contract, Doc, Endpoint, ObjectType, Ty};
use crate::emit::build::is_identifier_name;
use crate::stubgen::codec::can_be_view;
use std::collections::BTreeSet;

pub(super) fn lazy(contract: &Contract) -> Declarations {
    let endpoints: Vec<&Endpoint> = contract.endpoints.iter().filter(|e| is_lazy(contract, e)).collect();
    let mut out = Declarations::new();
    if endpoints.is_empty() {
        out.line("export {};");
        return out;
    }
    let keys: BTreeSet<String> = endpoints.iter().flat_map(|e| endpoint_object_keys(contract, e)).collect();
    let options = options_name(&keys);
    let alias = if options == OPTIONS { String::new() } else { format!(" as {options}") };
    out.line(&format!("import type {{ {OPTIONS}{alias} }} from 'kontract/client';"));
    for (key, object) in keys.iter().filter_map(|key| contract.types.get_key_value(key)) {
        out.blank();
        out.interface("export ", key, object);
    }
    for key in views(contract, &endpoints) {
        out.blank();
        out.view(contract, key, &contract.types[key]);
    }
    for endpoint in endpoints {
        let (params, result) = (params(endpoint), lazy_text(contract, &endpoint.returns));
        out.blank();
        out.doc(&endpoint.doc);
        let declared = Exported::of(&endpoint.name);
        out.declare(declared.before, (&declared.local, endpoint.location), ": {");
        out.indent();
        out.doc(&endpoint.doc);
        out.line(&format!("({params}): Promise<{result}>;"));
        out.line("/** The same endpoint with options for its calls. */");
        out.line(&format!("with(options: {options}): ({params}) => Promise<{result}>;"));
        out.close("};");
        declared.export(&mut out);
    }
    out
}

/// Whether anything of an endpoint's result can be read later.
fn is_lazy(contract: &Contract, endpoint: &Endpoint) -> bool {
    is_identifier_name(&endpoint.name) && viewed(contract, &endpoint.returns).is_some()
}

/// The key of the type that a value is a view of, or an array of them.
fn viewed<'a>(contract: &Contract, ty: &'a Ty) -> Option<&'a str> {
    let object = |ty: &'a Ty| match ty {
        Ty::Object(key) => Some(key.as_str()),
        _ => None,
    };
    let key = match present(ty) {
        Ty::Array(of) => object(of),
        other => object(other),
    }?;
    let fields = &contract.types.get(key)?.fields;
    can_be_view(fields.iter().map(|field| field.name.as_str())).then_some(key)
}

/// A type without what may stand in its place.
fn present(ty: &Ty) -> &Ty {
    match ty {
        Ty::Nullable(of) | Ty::Optional(of) | Ty::Spelled(of, _) => present(of),
        other => other,
    }
}

fn views<'a>(contract: &'a Contract, endpoints: &[&'a Endpoint]) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = endpoints.iter().filter_map(|e| viewed(contract, &e.returns)).collect();
    let mut found = BTreeSet::new();
    while let Some(key) = open.pop() {
        if found.insert(key) {
            open.extend(contract.types[key].fields.iter().filter_map(|field| viewed(contract, &field.ty)));
        }
    }
    found
}

/// The type of what stands for a value.
fn lazy_text(contract: &Contract, ty: &Ty) -> String {
    let Some(key) = viewed(contract, ty) else { return text(ty) };
    let readonly = if matches!(present(ty), Ty::Array(_)) { "readonly " } else { "" };
    format!("{readonly}{}", text(&renamed(ty, &view_name(contract, key))))
}

/// The type with the view in place of the object.
fn renamed(ty: &Ty, view: &str) -> Ty {
    match ty {
        Ty::Nullable(of) => Ty::Nullable(Box::new(renamed(of, view))),
        Ty::Optional(of) => Ty::Optional(Box::new(renamed(of, view))),
        Ty::Spelled(of, _) => renamed(of, view),
        Ty::Array(_) => Ty::Array(Box::new(Ty::Object(view.to_owned()))),
        _ => Ty::Object(view.to_owned()),
    }
}

fn view_name(contract: &Contract, key: &str) -> String {
    let mut name = format!("Lazy{key}");
    while contract.types.contains_key(&name) {
        name.push('_');
    }
    name
}

impl Declarations {
    fn view(&mut self, contract: &Contract, key: &str, object: &ObjectType) {
        self.doc(&Doc {
            text: format!("`{key}`, of which each property is read where it is looked at."),
            ..Doc::default()
        });
        let name = view_name(contract, key);
        self.declare("export interface ", (&name, object.location), " {");
        self.indent();
        for field in &object.fields {
            self.doc(&field.doc);
            let mark = if field.optional { "?" } else { "" };
            let ty = lazy_text(contract, &field.ty);
            self.declare("readonly ", (&property(&field.name), field.location), &format!("{mark}: {ty};"));
        }
        self.line("/** All of it, as a plain object. */");
        self.line(&format!("toJSON(): {key};"));
        self.close("}");
    }
}
