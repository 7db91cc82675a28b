//! Named types: declarations of the project, and the utility types that TypeScript defines.

use std::collections::BTreeSet;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    Decl, DefaultDecl, Expr, ModuleDecl, ModuleItem, TsEntityName, TsExprWithTypeArgs, TsInterfaceDecl,
    TsType, TsTypeParamDecl, TsTypeRef,
};

use super::{DeclarationKey, Scope, TypeResolver, diagnostics, string_literals, string_of, width};
use crate::contract::{BigIntWidth, Doc, Field, ObjectType, Ty};
use crate::parse::comments::DocComment;
use crate::parse::extract::upper_camel;
use crate::parse::graph::Binding;
use crate::parse::limits::HOPS_MAX;
use crate::parse::literal::{Constant, enum_values};
use crate::parse::module::{Imported, ParsedModule, item_decl};
use crate::source::{FileId, Location};

impl<'g> TypeResolver<'g> {
    pub(super) fn reference(&mut self, reference: &TsTypeRef, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        let arguments: Vec<&TsType> =
            reference.type_params.iter().flat_map(|params| &params.params).map(|ty| &**ty).collect();
        let path = entity_path(&reference.type_name);
        self.named(&path, &arguments, reference.span, scope, place)
    }

    /// A type behind `extends`.
    pub(super) fn heritage(
        &mut self,
        parent: &TsExprWithTypeArgs,
        scope: &Scope<'_>,
        place: &str,
    ) -> Option<Ty> {
        let arguments: Vec<&TsType> =
            parent.type_args.iter().flat_map(|params| &params.params).map(|ty| &**ty).collect();
        match &*parent.expr {
            Expr::Ident(ident) => self.named(&[ident.sym.to_string()], &arguments, parent.span, scope, place),
            other => self.cannot_send(other.span(), scope, "a type that is not a name"),
        }
    }

    fn named(
        &mut self,
        path: &[String],
        arguments: &[&TsType],
        span: Span,
        scope: &Scope<'_>,
        place: &str,
    ) -> Option<Ty> {
        let at = scope.location(span);
        let name = path.last()?.clone();
        let binding = match path {
            [name] => {
                if let Some(parameter) = scope.parameters.get(name) {
                    return Some(parameter.clone());
                }
                self.graph.lookup(scope.module.file, name)
            }
            [namespace, name] => {
                match self.graph.declaration(self.graph.lookup(scope.module.file, namespace)) {
                    Binding::Namespace { file } => self.graph.exported(file, name),
                    other => other,
                }
            }
            _ => Binding::Missing,
        };
        match self.graph.declaration(binding) {
            Binding::Declared { file, name } => {
                let mut resolved = Vec::new();
                for (index, argument) in arguments.iter().enumerate() {
                    resolved.push(self.ty(argument, scope, &format!("{place}Argument{}", index + 1))?);
                }
                self.declared(file, &name, &resolved, at)
            }
            Binding::External { package, name: imported, .. } => {
                let imported = match imported {
                    Imported::Name(name) => name,
                    Imported::Namespace => name,
                };
                self.external(&package, &imported, at)
            }
            Binding::Missing => self.global(&name, arguments, span, scope, place),
            Binding::Item { file, index } => self.item(file, index, place),
            Binding::Namespace { .. } => {
                self.report(diagnostics::unknown_type(&name, at));
                None
            }
        }
    }

    /// A type that a module of the project declares.
    pub(super) fn declared(
        &mut self,
        file: FileId,
        name: &str,
        arguments: &[Ty],
        used: Location,
    ) -> Option<Ty> {
        // `interface Node<T> { next: Node<T[]> }` would never come to an end.
        if self.depth >= HOPS_MAX {
            self.report(diagnostics::circular(name, used));
            return None;
        }
        self.depth += 1;
        let resolved = self.declaration(file, name, arguments, used);
        self.depth -= 1;
        resolved
    }

    fn declaration(&mut self, file: FileId, name: &str, arguments: &[Ty], used: Location) -> Option<Ty> {
        let key: DeclarationKey = (file, name.to_owned(), format!("{arguments:?}"));
        if let Some(registered) = self.names.get(&key) {
            return Some(Ty::Object(registered.clone()));
        }
        let graph = self.graph;
        let module = graph.module(file)?;
        let (interfaces, item) = declared_interfaces(module, name);
        if let Some(first) = interfaces.first() {
            let scope = self.instance(module, first.type_params.as_deref(), arguments, used)?;
            let doc = item.map_or_else(Doc::default, |span| DocComment::above(module, span).doc);
            let registered = self.reserve(&instance_name(name, arguments));
            self.names.insert(key, registered.clone());
            let fields = self.interface_fields(&interfaces, &scope, &registered);
            return Some(self.register(registered, fields, doc, module.location(first.id.span)));
        }
        for decl in module.declarations(name) {
            match decl {
                Decl::TsTypeAlias(alias) => {
                    let scope = self.instance(module, alias.type_params.as_deref(), arguments, used)?;
                    return self.alias(key, name, arguments, &alias.type_ann, alias.id.span, &scope);
                }
                Decl::TsEnum(declared) => return self.enumeration(module, declared),
                Decl::Class(class) => {
                    let at = module.location(class.ident.span);
                    self.report(
                        diagnostics::cannot_send(&format!("the class `{name}`"), used)
                            .at(at, "declared here"),
                    );
                    return None;
                }
                _ => {}
            }
        }
        self.report(diagnostics::unknown_type(name, used));
        None
    }

    /// The scope of a declaration with its type parameters bound.
    fn instance(
        &mut self,
        module: &'g ParsedModule,
        parameters: Option<&TsTypeParamDecl>,
        arguments: &[Ty],
        used: Location,
    ) -> Option<Scope<'g>> {
        let mut scope = Scope::of(module);
        for (index, parameter) in parameters.iter().flat_map(|decl| &decl.params).enumerate() {
            let name = parameter.name.sym.to_string();
            let bound = match (arguments.get(index), &parameter.default) {
                (Some(argument), _) => argument.clone(),
                (None, Some(default)) => self.ty(default, &scope, &name)?,
                (None, None) => {
                    self.report(diagnostics::cannot_send(
                        &format!("a generic type without its argument `{name}`"),
                        used,
                    ));
                    return None;
                }
            };
            scope.parameters.insert(name, bound);
        }
        Some(scope)
    }

    fn alias(
        &mut self,
        key: DeclarationKey,
        name: &str,
        arguments: &[Ty],
        ty: &TsType,
        declared: Span,
        scope: &Scope<'_>,
    ) -> Option<Ty> {
        let at = scope.location(declared);
        if let TsType::TsTypeLit(literal) = ty {
            let registered = self.reserve(&instance_name(name, arguments));
            self.names.insert(key, registered.clone());
            let doc = alias_doc(scope.module, name);
            let fields = self.members(&literal.members, scope, &registered);
            return Some(self.register(registered, fields, doc, at));
        }
        if !self.unfolding.insert(key.clone()) {
            self.report(diagnostics::circular(name, at));
            return None;
        }
        let wished = instance_name(name, arguments);
        let known: BTreeSet<String> = self.registry.keys().cloned().collect();
        let resolved = self.ty(ty, scope, &wished);
        self.unfolding.remove(&key);
        match resolved {
            Some(Ty::Object(object)) => {
                let own = !known.contains(&object) && !self.names.values().any(|name| *name == object);
                let object = if own { self.rename(object, &wished) } else { object };
                self.names.insert(key, object.clone());
                Some(Ty::Object(object))
            }
            other => other,
        }
    }

    /// Gives an object type that only an alias refers to the alias' name: `type NewEntry = Pick<…>`.
    fn rename(&mut self, object: String, wished: &str) -> String {
        if object == wished || self.registry.contains_key(wished) {
            return object;
        }
        let Some(Some(registered)) = self.registry.remove(&object) else { return object };
        let renamed = ObjectType { name: wished.to_owned(), ..registered };
        self.registry.insert(wished.to_owned(), Some(renamed));
        wished.to_owned()
    }

    fn enumeration(&mut self, module: &ParsedModule, declared: &swc_ecma_ast::TsEnumDecl) -> Option<Ty> {
        let mut values = Vec::new();
        let mut numbers = false;
        for (_, value) in enum_values(declared) {
            match value {
                Some(Constant::Text(text)) => values.push(text),
                _ => numbers = true,
            }
        }
        if numbers || values.is_empty() {
            let what = format!("the enum `{}`, which has members that are not strings,", declared.id.sym);
            self.report(diagnostics::cannot_send(&what, module.location(declared.id.span)));
            return None;
        }
        values.dedup();
        Some(string_literals(values))
    }

    fn item(&mut self, file: FileId, index: usize, place: &str) -> Option<Ty> {
        let module = self.graph.module(file)?;
        let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = module.items().get(index)? else {
            return None;
        };
        match &export.decl {
            DefaultDecl::TsInterfaceDecl(interface) => {
                let scope = Scope::of(module);
                let name = self.reserve(place);
                let fields = self.interface_fields(&[&**interface], &scope, &name);
                Some(self.register(name, fields, Doc::default(), module.location(interface.span)))
            }
            DefaultDecl::Class(_) | DefaultDecl::Fn(_) => {
                self.report(diagnostics::cannot_send("a class", module.location(export.span)));
                None
            }
        }
    }

    fn external(&mut self, package: &str, name: &str, at: Location) -> Option<Ty> {
        if package == "kontract" {
            if let Some(width) = width(name) {
                return Some(Ty::Number(width));
            }
            if name == "int64" {
                return Some(Ty::BigInt(BigIntWidth::Int64));
            }
            if name == "uint64" {
                self.report(diagnostics::wide_integer(name, at));
                return None;
            }
        }
        self.report(diagnostics::type_of_package(name, package, at));
        None
    }

    /// A name that the module does not bind: TypeScript's own types.
    fn global(
        &mut self,
        name: &str,
        arguments: &[&TsType],
        span: Span,
        scope: &Scope<'_>,
        place: &str,
    ) -> Option<Ty> {
        if let Some(width) = width(name) {
            return Some(Ty::Number(width));
        }
        match (name, arguments) {
            ("Date", []) => Some(Ty::Date),
            ("Uint8Array", _) => Some(Ty::Bytes),
            ("Promise" | "Awaited" | "Readonly", [inner]) => self.ty(inner, scope, place),
            ("Array" | "ReadonlyArray", [element]) => {
                let element = self.element(element, scope, place)?;
                Some(Ty::Array(Box::new(element)))
            }
            ("NonNullable", [inner]) => Some(without_nothing(self.ty(inner, scope, place)?)),
            ("Partial" | "Required", [object]) => {
                let optional = name == "Partial";
                self.mapped(name, object, scope, place, |fields| {
                    fields.into_iter().map(|field| Field { optional, ..field }).collect()
                })
            }
            ("Pick" | "Omit", [object, keys]) => {
                let Some(keys) = self.keys(keys, scope) else {
                    return self.cannot_send(
                        span,
                        scope,
                        &format!("`{name}` with keys that are not string literals"),
                    );
                };
                let label = keys.iter().fold(name.to_owned(), |label, key| label + &upper_camel(key));
                let keep = name == "Pick";
                self.mapped(&label, object, scope, place, |fields| {
                    fields.into_iter().filter(|field| keys.contains(&field.name) == keep).collect()
                })
            }
            ("Exclude" | "Extract", [from, keys]) => {
                let (from, keys) = (self.keys(from, scope), self.keys(keys, scope));
                let (Some(from), Some(keys)) = (from, keys) else {
                    return self.cannot_send(
                        span,
                        scope,
                        &format!("`{name}` of something not string literals"),
                    );
                };
                let keep = name == "Extract";
                Some(string_literals(from.into_iter().filter(|value| keys.contains(value) == keep).collect()))
            }
            (other, _) if NOT_SENDABLE.contains(&other) => {
                self.cannot_send(span, scope, &format!("`{name}`"))
            }
            _ => {
                self.report(diagnostics::unknown_type(name, scope.location(span)));
                None
            }
        }
    }

    /// An object type made of another one's fields: `Partial<Entry>` is registered as `PartialEntry`.
    fn mapped(
        &mut self,
        label: &str,
        object: &TsType,
        scope: &Scope<'_>,
        place: &str,
        change: impl FnOnce(Vec<Field>) -> Vec<Field>,
    ) -> Option<Ty> {
        let Ty::Object(name) = self.ty(object, scope, place)? else {
            return self.cannot_send(
                object.span(),
                scope,
                &format!("`{label}` of something not an object type"),
            );
        };
        let Some(Some(original)) = self.registry.get(&name).cloned() else {
            self.report(diagnostics::circular(&name, scope.location(object.span())));
            return None;
        };
        let fields = change(original.fields);
        let wished = format!("{label}{name}");
        if let Some(Some(same)) = self.registry.get(&wished)
            && same.fields == fields
        {
            return Some(Ty::Object(wished));
        }
        let registered = self.reserve(&wished);
        Some(self.register(registered, fields, original.doc, original.location))
    }

    /// The string literals of a union; `None` for other types.
    fn keys(&mut self, ty: &TsType, scope: &Scope<'_>) -> Option<Vec<String>> {
        match self.ty(ty, scope, "Key")? {
            Ty::Literals(values) => values.into_iter().map(string_of).collect(),
            _ => None,
        }
    }
}

fn entity_path(name: &TsEntityName) -> Vec<String> {
    match name {
        TsEntityName::Ident(ident) => vec![ident.sym.to_string()],
        TsEntityName::TsQualifiedName(qualified) => {
            let mut path = entity_path(&qualified.left);
            path.push(qualified.right.sym.to_string());
            path
        }
    }
}

/// All declarations of an interface in a module, and the span of the first one's item.
fn declared_interfaces<'m>(module: &'m ParsedModule, name: &str) -> (Vec<&'m TsInterfaceDecl>, Option<Span>) {
    let mut interfaces: Vec<&TsInterfaceDecl> = Vec::new();
    let mut first = None;
    for index in module.declaring_items(name) {
        let item = &module.items()[index];
        let interface = match (item_decl(item), item) {
            (Some(Decl::TsInterface(interface)), _) => Some(&**interface),
            (None, ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export))) => match &export.decl {
                DefaultDecl::TsInterfaceDecl(interface) => Some(&**interface),
                DefaultDecl::Class(_) | DefaultDecl::Fn(_) => None,
            },
            _ => None,
        };
        if let Some(interface) = interface {
            first = first.or(Some(item.span()));
            interfaces.push(interface);
        }
    }
    (interfaces, first)
}

fn alias_doc(module: &ParsedModule, name: &str) -> Doc {
    let item = module.declaring_items(name).next().map(|index| module.items()[index].span());
    item.map_or_else(Doc::default, |span| DocComment::above(module, span).doc)
}

/// `Page` of `Entry` → `PageEntry`.
fn instance_name(name: &str, arguments: &[Ty]) -> String {
    arguments.iter().fold(name.to_owned(), |name, argument| name + &label(argument))
}

fn label(ty: &Ty) -> String {
    match ty {
        Ty::String => "String".to_owned(),
        Ty::Boolean => "Boolean".to_owned(),
        Ty::Number(_) => "Number".to_owned(),
        Ty::BigInt(_) => "BigInt".to_owned(),
        Ty::Date => "Date".to_owned(),
        Ty::Bytes => "Bytes".to_owned(),
        Ty::Literals(values) => {
            values.iter().cloned().filter_map(string_of).map(|value| upper_camel(&value)).collect()
        }
        Ty::Array(element) => label(element) + "List",
        Ty::Object(name) => name.clone(),
        Ty::Nullable(inner) => "Nullable".to_owned() + &label(inner),
        Ty::Optional(inner) => "Optional".to_owned() + &label(inner),
        Ty::Void => "Void".to_owned(),
        _ => "Other".to_owned(),
    }
}

fn without_nothing(ty: Ty) -> Ty {
    match ty {
        Ty::Nullable(inner) | Ty::Optional(inner) => without_nothing(*inner),
        other => other,
    }
}

/// Types of TypeScript's library that have no form on the wire.
const NOT_SENDABLE: &[&str] = &[
    "Record",
    "Map",
    "Set",
    "WeakMap",
    "WeakSet",
    "Function",
    "Object",
    "RegExp",
    "Error",
    "Buffer",
    "ArrayBuffer",
    "Symbol",
    "AsyncIterable",
    "AsyncGenerator",
    "AsyncIterableIterator",
    "Iterable",
    "Generator",
    "ReadableStream",
    "Blob",
    "File",
    "FormData",
    "URL",
    "Request",
    "Response",
    "Headers",
    "ReturnType",
    "Parameters",
    "Promise",
    "Awaited",
];
