//! From evaluated types to wire types.
//!
//! ```text
//! Union ['a', 'b', null]   →   Nullable(Literals ["a", "b"])
//! Object of interface Entry   →   Object("Entry"), and its fields in the registry
//! ```
//!
//! What has no schema is [`Ty::Dynamic`] with a warning, and what cannot be sent at all an error.

use super::diagnostics;
use super::model::{Element, Members, Source, Type, TypeId};
use super::naming::By;
use super::{TypeResolver, names};
use crate::contract::{
    BigIntWidth, Doc, Literal, NumberWidth, ObjectType, RecordKey, TemplatePart, TupleElement, Ty,
};
use crate::parse::limits::HOPS_MAX;
use crate::source::Location;

impl<'g> TypeResolver<'g> {
    /// The wire type of a type; `None` after a diagnostic. `place` names an object type without a name.
    pub(super) fn lower(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        if self.depth >= HOPS_MAX {
            let text = self.types.text_of(ty);
            self.report(diagnostics::circular(&text, at));
            return None;
        }
        let inner = self.types.forced(ty);
        let unnamed =
            matches!(self.types.get(inner), Type::Union(_) | Type::Array { .. } | Type::Tuple { .. });
        if unnamed && self.open.contains(&inner) {
            return Some(self.dynamic(
                "unknown",
                "it contains itself other than through the field of an object type",
                at,
            ));
        }
        self.depth += 1;
        self.named.at_depth(self.depth);
        if unnamed {
            self.open.push(inner);
        }
        let lowered = self.lowered(inner, place, at);
        if unnamed {
            self.open.pop();
        }
        self.depth -= 1;
        lowered
    }

    /// One arm for each kind of type; long, but flat.
    fn lowered(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        let ty = self.types.forced(ty);
        Some(match self.types.get(ty).clone() {
            Type::String | Type::Mapping(..) => Ty::String,
            Type::Number(width) => Ty::Number(width),
            Type::Boolean => Ty::Boolean,
            Type::BigInt(width) => Ty::BigInt(width),
            Type::Literal { value, .. } => literals(vec![value]),
            Type::Member { value: Some(value), of, place, .. } => {
                self.enumerated(literals(vec![value]), of, &[place])
            }
            Type::Member { value: None, .. } => Ty::Number(NumberWidth::Float64),
            Type::Null => Ty::Null,
            Type::Void | Type::Undefined => Ty::Void,
            Type::Template { texts, types } => match self.template_parts(&texts, &types) {
                Some(parts) => Ty::Template(parts),
                None => Ty::String,
            },
            Type::Union(_) => return self.lower_union(ty, place, at),
            Type::Array { element, readonly } => {
                let element = self.lower_inner(element, &format!("{place}Item"), at)?;
                Self::read_only(Ty::Array(Box::new(element)), readonly)
            }
            Type::Tuple { elements, readonly } => {
                Self::read_only(self.lower_tuple(&elements, place, at)?, readonly)
            }
            Type::Object(_) => return self.lower_object(ty, place, at),
            Type::Intersection(parts) => {
                // A brand such as `string & { __brand: 'id' }` is for the compiler only.
                let primitive = parts.iter().copied().find(|part| self.types.is_primitive(*part));
                match primitive {
                    Some(primitive) => {
                        let lowered = self.lower(primitive, place, at)?;
                        self.branded(&parts, primitive, lowered)
                    }
                    None => return self.lower_object(ty, place, at),
                }
            }
            Type::Never => return self.cannot_send("`never`", at),
            Type::Symbol => return self.cannot_send("`symbol`", at),
            Type::Any => self.dynamic("any", "`any` says nothing of what is in it", at),
            Type::Unknown => self.dynamic("unknown", "`unknown` says nothing of what is in it", at),
            Type::NonPrimitive => self.dynamic("object", "`object` says nothing of its fields", at),
            Type::Param(_) | Type::Deferred(_) => {
                self.dynamic("unknown", "it depends on a type parameter that nothing binds", at)
            }
            Type::Opaque(opaque) => {
                let opaque = self.types.opaques[opaque.place()].clone();
                self.report(diagnostics::not_inferred(&opaque.what, opaque.at.unwrap_or(at)));
                Ty::Dynamic("unknown".to_owned())
            }
            Type::Excess => {
                self.report(diagnostics::too_complex(at));
                Ty::Dynamic("unknown".to_owned())
            }
            Type::Error | Type::Recur(_) => return None,
        })
    }

    /// The type of an element, key or value.
    fn lower_inner(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        if *self.types.get(ty) == Type::Never {
            return Some(self.dynamic("never", "nothing is known of its elements", at));
        }
        match self.lower(ty, place, at)? {
            Ty::Void => {
                self.report(diagnostics::void_value(at));
                None
            }
            other => Some(other),
        }
    }

    pub(super) fn dynamic(&mut self, text: &str, why: &str, at: Location) -> Ty {
        self.report(diagnostics::no_schema(text, why, at));
        Ty::Dynamic(text.to_owned())
    }

    pub(super) fn cannot_send<T>(&mut self, what: &str, at: Location) -> Option<T> {
        self.report(diagnostics::cannot_send(what, at));
        None
    }

    fn template_parts(&mut self, texts: &[std::rc::Rc<str>], types: &[TypeId]) -> Option<Vec<TemplatePart>> {
        let mut parts = Vec::new();
        let text = |text: &str| (!text.is_empty()).then(|| TemplatePart::Text(text.to_owned()));
        parts.extend(text(&texts[0]));
        for (ty, after) in types.iter().zip(&texts[1..]) {
            parts.push(match self.types.get(*ty) {
                Type::Number(_) => TemplatePart::Number,
                Type::BigInt(_) => TemplatePart::BigInt,
                Type::String | Type::Mapping(..) | Type::Any => TemplatePart::String,
                _ => return None,
            });
            parts.extend(text(after));
        }
        Some(parts)
    }

    fn lower_tuple(&mut self, elements: &[Element], place: &str, at: Location) -> Option<Ty> {
        let mut lowered = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let place = match &element.label {
                Some(label) => format!("{place}{}", crate::parse::extract::upper_camel(label)),
                None => format!("{place}Item{}", index + 1),
            };
            let (ty, admits_undefined) = match self.lower_inner(element.ty, &place, at)? {
                Ty::Optional(inner) if !element.rest => (*inner, true),
                other => (other, false),
            };
            lowered.push(TupleElement {
                name: element.label.as_ref().map(|label| label.to_string()),
                ty,
                optional: !element.rest && (element.optional || admits_undefined),
                rest: element.rest,
            });
        }
        Some(Ty::Tuple(lowered))
    }

    fn lower_union(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        let (mut nullable, mut optional) = (false, false);
        let mut values: Vec<Literal> = Vec::new();
        let mut of_values: Vec<TypeId> = Vec::new();
        let mut values_at = None;
        let mut others: Vec<Ty> = Vec::new();
        for member in self.types.members_of_union(ty) {
            match self.types.get(member).clone() {
                Type::Null => nullable = true,
                Type::Undefined | Type::Void => optional = true,
                Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => {
                    values_at.get_or_insert(others.len());
                    of_values.push(member);
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                _ => {
                    let lowered = self.lower(member, place, at)?;
                    match lowered {
                        Ty::Dynamic(_) => {
                            let text = Ty::Dynamic("unknown".to_owned());
                            return Some(wrap(text, false, optional));
                        }
                        other => add_member(&mut others, other),
                    }
                }
            }
        }
        let distinct = values.len();
        let has = |plain: fn(&Ty) -> bool| others.iter().any(|other| plain(other.bare()));
        if has(|other| *other == Ty::Boolean) {
            values.retain(|value| !matches!(value, Literal::Boolean(_)));
        }
        if has(|other| matches!(other, Ty::Number(_))) {
            values.retain(|value| !matches!(value, Literal::Number(_)));
        }
        if has(|other| *other == Ty::String) {
            values.retain(|value| !matches!(value, Literal::String(_)));
        }
        if let Some(values_at) = values_at.filter(|_| !values.is_empty()) {
            let enumeration = if values.len() == distinct { self.enum_of(&of_values) } else { None };
            let mut listed = literals(values);
            if let Some((of, places)) = enumeration {
                listed = self.enumerated(listed, of, &places);
            }
            others.insert(values_at.min(others.len()), listed);
        }
        let inner = match (others.len(), nullable, optional) {
            (0, true, optional) => return Some(wrap(Ty::Null, false, optional)),
            (0, false, _) => return Some(Ty::Void),
            (1, ..) => others.remove(0),
            _ => Ty::Union(others),
        };
        Some(wrap(inner, nullable, optional))
    }

    fn lower_object(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        if let Some((name, args)) = self.types.library_name(ty) {
            return self.lower_library(&name, &args, place, at);
        }
        if let Some(known) = self.names.get(&ty) {
            self.named.known(known, self.depth);
            return Some(Ty::Object(known.clone()));
        }
        let members = self.types.shape(ty)?;
        if !members.calls.is_empty() || !members.constructs.is_empty() {
            return self.cannot_send("a function", at);
        }
        if !members.indexes.is_empty() {
            return self.lower_indexed(&members, place, at);
        }
        let identity = self.identity(ty, at);
        let wished = identity.name.unwrap_or_else(|| place.to_owned());
        let name = self.reserve(&wished);
        self.names.insert(ty, name.clone());
        let outer = self.named.enter(&name, identity.by, self.depth);
        let fields = self.fields_of(&members, &name, at);
        self.named.leave(outer);
        let object =
            ObjectType { name: name.clone(), fields, doc: identity.doc, location: identity.location };
        self.registry.insert(name.clone(), Some(object));
        Some(Ty::Object(name))
    }

    fn lower_indexed(&mut self, members: &Members<'g>, place: &str, at: Location) -> Option<Ty> {
        if let Some(prop) = members.props.first() {
            let why = format!("it has the field `{}` and others without a name", prop.name);
            return Some(self.dynamic("Record<string, unknown>", &why, at));
        }
        let mut keys = Vec::new();
        let mut values = Vec::new();
        for index in &members.indexes {
            let key = match self.types.get(index.key).clone() {
                Type::Number(_) => RecordKey::Number,
                Type::Template { texts, types } => match self.template_parts(&texts, &types) {
                    Some(parts) => RecordKey::Template(parts),
                    None => RecordKey::String,
                },
                Type::Symbol => continue,
                _ => RecordKey::String,
            };
            keys.push(key);
            values.push(self.types.force(index.ty));
        }
        let Some(first) = values.first().copied() else {
            return self.cannot_send("an object of symbols", at);
        };
        if values.iter().any(|value| *value != first) {
            let why = "it has index signatures of different types";
            return Some(self.dynamic("Record<string, unknown>", why, at));
        }
        let key = if keys.len() == 1 { keys.remove(0) } else { RecordKey::String };
        let value = self.lower_inner(first, &format!("{place}Value"), at)?;
        Some(Ty::Record(key, Box::new(value)))
    }

    /// A type of TypeScript's library.
    fn lower_library(&mut self, name: &str, args: &[TypeId], place: &str, at: Location) -> Option<Ty> {
        let first = args.first().copied();
        Some(match (name, first) {
            ("Date", _) => Ty::Date,
            ("Uint8Array", _) => Ty::Bytes,
            ("Blob", _) => Ty::Blob,
            ("File", _) => Ty::File,
            ("String", _) => Ty::String,
            ("Number", _) => Ty::Number(NumberWidth::Float64),
            ("Boolean", _) => Ty::Boolean,
            ("BigInt", _) => Ty::BigInt(BigIntWidth::Int64),
            ("Map" | "ReadonlyMap", Some(key)) => {
                let key = self.lower_inner(key, &format!("{place}Key"), at)?;
                let value = self.lower_inner(args[1], &format!("{place}Value"), at)?;
                Self::read_only(Ty::Map(Box::new(key), Box::new(value)), name.starts_with("Readonly"))
            }
            ("Set" | "ReadonlySet", Some(element)) => {
                let set = Ty::Set(Box::new(self.lower_inner(element, &format!("{place}Item"), at)?));
                Self::read_only(set, name.starts_with("Readonly"))
            }
            ("AsyncIterable" | "AsyncIterableIterator" | "AsyncGenerator", Some(element)) => {
                Ty::Stream(Box::new(self.lower_inner(element, &format!("{place}Item"), at)?))
            }
            ("ReadableStream", Some(chunk)) => {
                let bytes = self.types.library_name(chunk).is_some_and(|(name, _)| &*name == "Uint8Array");
                if !bytes && *self.types.get(chunk) != Type::Any {
                    return self.cannot_send("a `ReadableStream` of something other than `Uint8Array`", at);
                }
                Ty::ByteStream
            }
            ("Object", _) => self.dynamic("object", "`Object` says nothing of its fields", at),
            _ => {
                let short = name.rsplit('.').next().unwrap_or(name).to_owned();
                return self.cannot_send(&format!("`{short}`"), at);
            }
        })
    }

    /// The name, documentation and place of an object type.
    fn identity(&mut self, ty: TypeId, at: Location) -> Identity {
        let (alias, declared, location) = match self.types.get(ty).clone() {
            Type::Object(object) => {
                let object = &self.types.objects[object.place()];
                let declared = match &object.source {
                    Source::Declared { symbol, args } => Some((*symbol, std::rc::Rc::clone(args))),
                    _ => None,
                };
                let location = match &object.source {
                    Source::Literal { span, env, .. } => env.location(*span),
                    Source::Given { at, .. } => *at,
                    _ => None,
                };
                (object.alias, declared, location)
            }
            _ => (self.types.intersection_names.get(&ty).copied(), None, None),
        };
        let named = declared.or_else(|| {
            let alias = &self.types.aliases[alias?.place()].alias;
            Some((alias.symbol, std::rc::Rc::clone(&alias.args)))
        });
        let Some((symbol, args)) = named else {
            let by = self.named_by(ty, None, location);
            return Identity { name: None, doc: Doc::default(), location: location.unwrap_or(at), by };
        };
        let declarations = self.types.declarations(symbol);
        let declaration = declarations.first();
        let doc = self.doc_of(ty, HOPS_MAX);
        let at = declaration.and_then(|declaration| declaration.env.location(declaration.name)).unwrap_or(at);
        let base = self.types.symbol_of(symbol).name().to_owned();
        let base = if base == super::symbols::DEFAULT { None } else { Some(base) };
        let by = self.named_by(ty, base.as_ref().map(|_| (symbol, !args.is_empty())), None);
        let name = base.map(|base| args.iter().fold(base, |name, arg| name + &self.label(*arg, 0)));
        Identity { name, doc, location: at, by }
    }

    /// The documentation of an object type: its declaration's, and otherwise that of the type it is made of, so that
    /// `Partial<Entry>` is documented as `Entry` is.
    fn doc_of(&mut self, ty: TypeId, hops: usize) -> Doc {
        let Some(hops) = hops.checked_sub(1) else { return Doc::default() };
        let Type::Object(object) = self.types.get(ty).clone() else { return Doc::default() };
        let object = &self.types.objects[object.place()];
        let symbol = match (&object.source, object.alias) {
            (Source::Declared { symbol, .. }, _) => Some(*symbol),
            (_, Some(alias)) => Some(self.types.aliases[alias.place()].alias.symbol),
            _ => None,
        };
        let made_of = match &object.source {
            Source::Mapped { env, .. } => env.bindings.first().map(|(_, ty)| *ty),
            _ => None,
        };
        let doc = symbol.and_then(|symbol| self.types.declarations(symbol).first().map(names::doc_above));
        match (doc.filter(|doc| *doc != Doc::default()), made_of) {
            (Some(doc), _) => doc,
            (None, Some(made_of)) => self.doc_of(made_of, hops),
            (None, None) => Doc::default(),
        }
    }
}

/// What an object type is called, and where it stands.
struct Identity {
    name: Option<String>,
    doc: Doc,
    location: Location,
    by: By,
}

/// Adds to a union what is none of its members. Of two that travel alike one is left, spelled as both can be.
fn add_member(members: &mut Vec<Ty>, added: Ty) {
    let plain = added.plain();
    match members.iter_mut().find(|member| member.plain() == plain) {
        Some(known) if *known == added => {}
        Some(known) => *known = plain,
        None => members.push(added),
    }
}

fn wrap(ty: Ty, nullable: bool, optional: bool) -> Ty {
    let ty = if nullable { Ty::Nullable(Box::new(ty)) } else { ty };
    if optional { Ty::Optional(Box::new(ty)) } else { ty }
}

fn literals(values: Vec<Literal>) -> Ty {
    Ty::Literals(values)
}
