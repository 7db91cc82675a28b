//! Fields of object types with their marks, and the names that types with arguments get.

use swc_common::Span;

use super::model::{Declaration, Members, ModuleRef, Prop, PropKind, Source, Type, TypeId};
use super::{TypeResolver, diagnostics, width_of};
use crate::contract::{Doc, Field, Literal, Perms, Ty};
use crate::parse::comments::DocComment;
use crate::parse::extract::upper_camel;
use crate::parse::literal::{Constant, evaluate};
use crate::source::Location;

impl<'g> TypeResolver<'g> {
    pub(super) fn fields_of(&mut self, members: &Members<'g>, owner: &str, at: Location) -> Vec<Field> {
        members.props.iter().filter_map(|prop| self.field(prop, owner, at)).collect()
    }

    fn field(&mut self, prop: &Prop<'g>, owner: &str, at: Location) -> Option<Field> {
        let site = prop.declared.filter(|site| !site.module.own);
        let location = site.map_or(at, |site| site.module.module.location(site.name));
        match prop.kind {
            // Objects inherit these; they are no part of what is sent.
            PropKind::Inherited => return None,
            PropKind::Method => {
                let whole = site.map_or(at, |site| site.module.module.location(site.node));
                self.report(diagnostics::bad_field("a method", whole));
                return None;
            }
            PropKind::Field => {}
        }
        if &*prop.name == "__proto__" {
            self.report(diagnostics::bad_field("a field with this name", location));
            return None;
        }
        let ty = self.types.force(prop.ty);
        let ty = if prop.optional { self.types.without_undefined(ty) } else { ty };
        // `x?: never` and `x: undefined` are fields that are never there.
        let is_never = prop.optional && *self.types.get(ty) == Type::Never;
        if is_never || *self.types.get(ty) == Type::Undefined {
            return None;
        }
        let place = format!("{owner}{}", upper_camel(&prop.name));
        let lowered = self.lower(ty, &place, location)?;
        let (ty, admits_undefined) = match lowered {
            Ty::Optional(inner) => (*inner, true),
            Ty::Void => {
                self.report(diagnostics::void_value(location));
                return None;
            }
            other => (other, false),
        };
        let mut field = Field {
            name: prop.name.to_string(),
            ty,
            optional: prop.optional || admits_undefined,
            readonly: prop.readonly,
            primkey: false,
            index: false,
            unique: false,
            perm: None,
            doc: Doc::default(),
            location,
        };
        if let Some(site) = site {
            let doc = DocComment::above(site.module.module, site.node);
            field.doc = doc.doc.clone();
            self.decorator_marks(&mut field, site.node, site.module, prop.retyped);
            self.comment_marks(&mut field, &doc);
        }
        Some(field)
    }

    fn decorator_marks(&mut self, field: &mut Field, span: Span, module: ModuleRef<'g>, retyped: bool) {
        let module = module.module;
        for decorator in module.decorators_at(span) {
            let arguments = decorator.arguments.as_deref().unwrap_or(&[]);
            let value = match decorator.name.as_str() {
                "perm" => match arguments {
                    [only] => evaluate(self.graph, module, &only.expr).ok(),
                    _ => None,
                },
                _ => None,
            };
            match (decorator.name.as_str(), value) {
                ("perm", Some(Constant::Perms(perm))) => field.perm = Some(perm),
                ("primkey", _) if arguments.is_empty() => field.primkey = true,
                ("index", _) if arguments.is_empty() => field.index = true,
                ("unique", _) if arguments.is_empty() => field.unique = true,
                (mark @ ("perm" | "primkey" | "index" | "unique"), _) => {
                    self.report(diagnostics::bad_field_mark(mark, &field.name, decorator.location));
                }
                // The width is of the type that the declaration gives, not of one that stands in its place.
                (_, _) if retyped => {}
                (width, _) => {
                    field.ty = width_of(self, width, field.ty.clone(), &field.name, decorator.location);
                }
            }
        }
    }

    fn comment_marks(&mut self, field: &mut Field, doc: &DocComment) {
        for wrong in &doc.misspelt {
            self.report(diagnostics::misspelt_mark(&wrong.name, wrong.near, wrong.location));
        }
        for mark in &doc.marks {
            let bare = mark.value.is_empty();
            let letters = mark.value.strip_prefix("perms.").unwrap_or(&mark.value);
            match (mark.name.as_str(), Perms::from_spelling(letters)) {
                ("perm", Some(perm)) => field.perm = Some(perm),
                ("primkey", _) if bare => field.primkey = true,
                ("index", _) if bare => field.index = true,
                ("unique", _) if bare => field.unique = true,
                (name, _) => self.report(diagnostics::bad_field_mark(name, &field.name, mark.location)),
            }
        }
    }

    /// What a type argument adds to a name: `Page` of `Entry` → `PageEntry`.
    pub(super) fn label(&mut self, ty: TypeId, depth: usize) -> String {
        self.named.naming.by_order |= depth > LABEL_DEPTH_MAX || !self.is_named_alike(ty);
        if depth > LABEL_DEPTH_MAX {
            return "Other".to_owned();
        }
        match self.types.get(ty).clone() {
            Type::String | Type::Template { .. } | Type::Mapping(..) => "String".to_owned(),
            Type::Boolean => "Boolean".to_owned(),
            Type::Number(_) => "Number".to_owned(),
            Type::BigInt(_) => "BigInt".to_owned(),
            Type::Null => "Null".to_owned(),
            Type::Void | Type::Undefined => "Void".to_owned(),
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => match value {
                Literal::String(text) | Literal::Number(text) | Literal::BigInt(text) => upper_camel(&text),
                Literal::Boolean(value) => upper_camel(&value.to_string()),
            },
            Type::Array { element, .. } => self.label(element, depth + 1) + "List",
            Type::Union(_) => {
                let members = self.types.members_of_union(ty);
                members
                    .into_iter()
                    .take(LABEL_MEMBERS_MAX)
                    .map(|member| self.label(member, depth + 1))
                    .collect()
            }
            Type::Object(object) => {
                if let Some(name) = self.names.get(&ty) {
                    return name.clone();
                }
                let object = &self.types.objects[object.place()];
                let named = match (&object.source, object.alias) {
                    (Source::Declared { symbol, args }, _) => Some((*symbol, std::rc::Rc::clone(args))),
                    (_, Some(alias)) => {
                        let alias = &self.types.aliases[alias.place()].alias;
                        Some((alias.symbol, std::rc::Rc::clone(&alias.args)))
                    }
                    _ => None,
                };
                match named {
                    Some((symbol, args)) => {
                        let name = self.types.symbol_of(symbol).name().to_owned();
                        let name = if name == "Uint8Array" { "Bytes".to_owned() } else { name };
                        let args: Vec<TypeId> = if name == "Bytes" { Vec::new() } else { args.to_vec() };
                        args.into_iter().fold(name, |name, arg| name + &self.label(arg, depth + 1))
                    }
                    None => "Other".to_owned(),
                }
            }
            _ => "Other".to_owned(),
        }
    }
}

/// The documentation of a declaration.
pub(super) fn doc_above(declaration: &Declaration<'_>) -> Doc {
    if declaration.env.module.own {
        return Doc::default();
    }
    DocComment::above(declaration.env.module.module, declaration.item).doc
}

const LABEL_DEPTH_MAX: usize = 6;
/// Of longer unions the first members make the name.
const LABEL_MEMBERS_MAX: usize = 6;
