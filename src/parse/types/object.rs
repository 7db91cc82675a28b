//! Object types: interfaces, aliases of object types, inline ones, and intersections of them.

use swc_common::{Span, Spanned};
use swc_ecma_ast::{TsInterfaceDecl, TsIntersectionType, TsPropertySignature, TsTypeElement, TsTypeLit};

use super::{Scope, TypeResolver, diagnostics, key_name, width_of};
use crate::contract::{Doc, Field, ObjectType, Perms, Ty};
use crate::parse::comments::DocComment;
use crate::parse::extract::upper_camel;
use crate::parse::literal::{Constant, evaluate};
use crate::source::Location;

impl TypeResolver<'_> {
    /// `{ a: string }` in an annotation, named after its place.
    pub(super) fn inline_object(
        &mut self,
        literal: &TsTypeLit,
        scope: &Scope<'_>,
        place: &str,
    ) -> Option<Ty> {
        let name = self.reserve(place);
        let fields = self.members(&literal.members, scope, &name);
        Some(self.register(name, fields, Doc::default(), scope.location(literal.span)))
    }

    /// The fields of all declarations of an interface, inherited ones first.
    pub(super) fn interface_fields(
        &mut self,
        interfaces: &[&TsInterfaceDecl],
        scope: &Scope<'_>,
        name: &str,
    ) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for interface in interfaces {
            for parent in &interface.extends {
                if let Some(Ty::Object(object)) = self.heritage(parent, scope, &format!("{name}Base")) {
                    merge(&mut fields, self.fields(&object));
                }
            }
            let own = self.members(&interface.body.body, scope, name);
            merge(&mut fields, own);
        }
        fields
    }

    pub(super) fn members(
        &mut self,
        members: &[TsTypeElement],
        scope: &Scope<'_>,
        owner: &str,
    ) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for member in members {
            match member {
                TsTypeElement::TsPropertySignature(property) => {
                    if let Some(field) = self.field(property, scope, owner) {
                        merge(&mut fields, vec![field]);
                    }
                }
                other => {
                    let what = member_kind(other);
                    self.report(diagnostics::bad_field(what, scope.location(other.span())));
                }
            }
        }
        fields
    }

    /// `A & B`, when both are object types.
    pub(super) fn intersection(
        &mut self,
        intersection: &TsIntersectionType,
        scope: &Scope<'_>,
        place: &str,
    ) -> Option<Ty> {
        let mut fields: Vec<Field> = Vec::new();
        for (index, part) in intersection.types.iter().enumerate() {
            match self.ty(part, scope, &format!("{place}Part{}", index + 1))? {
                Ty::Object(object) => merge(&mut fields, self.fields(&object)),
                _ => {
                    return self.cannot_send(
                        part.span(),
                        scope,
                        "an intersection with something not an object",
                    );
                }
            }
        }
        let name = self.reserve(place);
        Some(self.register(name, fields, Doc::default(), scope.location(intersection.span)))
    }

    /// Takes a free name, so that the fields may refer to the type.
    pub(super) fn reserve(&mut self, wished: &str) -> String {
        let name = self.free_name(wished);
        self.registry.insert(name.clone(), None);
        name
    }

    pub(super) fn register(&mut self, name: String, fields: Vec<Field>, doc: Doc, location: Location) -> Ty {
        let object = ObjectType { name: name.clone(), fields, doc, location };
        self.registry.insert(name.clone(), Some(object));
        Ty::Object(name)
    }

    fn field(&mut self, property: &TsPropertySignature, scope: &Scope<'_>, owner: &str) -> Option<Field> {
        let location = scope.location(property.key.span());
        let name = key_name(&property.key, property.computed).filter(|name| name != "__proto__");
        let Some(name) = name else {
            self.report(diagnostics::bad_field("a field with this name", location));
            return None;
        };
        let Some(annotation) = &property.type_ann else {
            self.report(diagnostics::missing_field_type(&name, location));
            return None;
        };
        let place = format!("{owner}{}", upper_camel(&name));
        let resolved = self.resolve(&annotation.type_ann, scope, &place)?;
        let (ty, admits_undefined) = match resolved {
            Ty::Optional(inner) => (*inner, true),
            other => (other, false),
        };
        let doc = DocComment::above(scope.module, property.span);
        let mut field = Field {
            name,
            ty,
            optional: property.optional || admits_undefined,
            readonly: property.readonly,
            primkey: false,
            index: false,
            unique: false,
            perm: None,
            doc: doc.doc.clone(),
            location,
        };
        self.decorator_marks(&mut field, property.span, scope);
        self.comment_marks(&mut field, &doc);
        Some(field)
    }

    fn decorator_marks(&mut self, field: &mut Field, span: Span, scope: &Scope<'_>) {
        for decorator in scope.module.decorators_at(span) {
            let arguments = decorator.arguments.as_deref().unwrap_or(&[]);
            let value = match decorator.name.as_str() {
                "perm" => match arguments {
                    [only] => evaluate(self.graph, scope.module, &only.expr).ok(),
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
                (width, _) => {
                    field.ty = width_of(self, width, field.ty.clone(), &field.name, decorator.location);
                }
            }
        }
    }

    fn comment_marks(&mut self, field: &mut Field, doc: &DocComment) {
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
}

/// Adds fields; a later one of a name replaces an earlier one in its place.
pub(super) fn merge(fields: &mut Vec<Field>, more: Vec<Field>) {
    for field in more {
        match fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => fields.push(field),
        }
    }
}

fn member_kind(member: &TsTypeElement) -> &'static str {
    match member {
        TsTypeElement::TsCallSignatureDecl(_) | TsTypeElement::TsConstructSignatureDecl(_) => {
            "a call signature"
        }
        TsTypeElement::TsMethodSignature(_) => "a method",
        TsTypeElement::TsIndexSignature(_) => "an index signature",
        TsTypeElement::TsGetterSignature(_) | TsTypeElement::TsSetterSignature(_) => "an accessor",
        TsTypeElement::TsPropertySignature(_) => "this field",
    }
}
