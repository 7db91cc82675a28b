//! Types in the notation of declarations. An object type with a name is referred to by it, and declared beside.

use std::rc::Rc;

use super::super::evaluator::Evaluator;
use super::super::model::{
    Element, Index, Members, ObjectId, Parameter, Prop, PropKind, Signature, Source, SymbolId, Type, TypeId,
};
use super::super::template::literal_text;
use super::{Flat, FlatMember};
use crate::contract::signature::quoted;
use crate::contract::{Doc, Literal};
use crate::parse::comments::DocComment;
use swc_ecma_ast::Ident;

impl<'g> Flat<'_, 'g> {
    pub(super) fn text(&mut self, ty: TypeId) -> String {
        let ty = self.types.forced(ty);
        if self.open.len() > TEXT_DEPTH_MAX {
            return self.unknown("it is nested too deep");
        }
        match self.types.get(ty).clone() {
            Type::Any => "any".to_owned(),
            Type::Unknown => "unknown".to_owned(),
            Type::Never => "never".to_owned(),
            Type::Void => "void".to_owned(),
            Type::Undefined => "undefined".to_owned(),
            Type::Null => "null".to_owned(),
            Type::String => "string".to_owned(),
            Type::Number(_) | Type::Member { value: None, .. } => "number".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::BigInt(_) => "bigint".to_owned(),
            Type::Symbol => "symbol".to_owned(),
            Type::NonPrimitive => "object".to_owned(),
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => spelled(&value),
            Type::Template { texts, types } => self.template(&texts, &types),
            Type::Mapping(case, inner) => format!("{}<{}>", case.name(), self.text(inner)),
            Type::Union(_) => self.union_text(ty),
            Type::Intersection(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.operand(*part)).collect();
                parts.join(" & ")
            }
            Type::Array { element, readonly } => {
                format!("{}{}[]", if readonly { "readonly " } else { "" }, self.operand(element))
            }
            Type::Tuple { elements, readonly } => self.tuple_text(&elements, readonly),
            Type::Object(object) => self.object(ty, object),
            Type::Param(param) if self.params.contains(&param) => {
                self.types.params[param.place()].name.to_string()
            }
            Type::Param(_) | Type::Recur(_) | Type::Deferred(_) => {
                self.unknown("it depends on a type parameter")
            }
            Type::Opaque(value) => {
                let known = self.types.globals.as_ref().and_then(|globals| globals.get(&value)).cloned();
                match known {
                    Some(global) => {
                        self.words.insert(global.clone());
                        global
                    }
                    None => {
                        let what = self.types.opaques[value.place()].what.clone();
                        self.unknown(&format!("{what} is beyond what the compiler follows"))
                    }
                }
            }
            Type::Excess => self.unknown("it is too complex"),
            Type::Error => self.unknown("a type in it cannot be found"),
        }
    }

    fn unknown(&mut self, why: &str) -> String {
        self.unsayable.get_or_insert_with(|| why.to_owned());
        "unknown".to_owned()
    }

    /// A type where an operator follows or stands in front.
    fn operand(&mut self, ty: TypeId) -> String {
        let text = self.text(ty);
        let alone = match self.types.get(self.types.forced(ty)) {
            Type::Union(_) | Type::Intersection(_) => false,
            Type::Array { readonly, .. } | Type::Tuple { readonly, .. } => !readonly,
            Type::Object(_) => !(text.starts_with(['(', '<']) || text.starts_with("new ")),
            _ => true,
        };
        if alone { text } else { format!("({text})") }
    }

    fn union_text(&mut self, ty: TypeId) -> String {
        if self.open.contains(&ty) {
            return self.unknown("it contains itself");
        }
        self.open.push(ty);
        let mut texts: Vec<String> = Vec::new();
        for member in self.types.members_of_union(ty) {
            let text = self.operand(member);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        self.open.pop();
        texts.join(" | ")
    }

    fn template(&mut self, texts: &[Rc<str>], types: &[TypeId]) -> String {
        let escaped = |text: &str| {
            let text = text.replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${");
            text.replace('\n', "\\n").replace('\r', "\\r")
        };
        let mut text = format!("`{}", escaped(&texts[0]));
        for (ty, after) in types.iter().zip(&texts[1..]) {
            text.push_str(&format!("${{{}}}{}", self.text(*ty), escaped(after)));
        }
        text + "`"
    }

    fn tuple_text(&mut self, elements: &[Element], readonly: bool) -> String {
        let labelled = elements.iter().all(|element| element.label.is_some());
        let mut texts = Vec::new();
        for element in elements {
            let ty = if element.optional { self.types.without_undefined(element.ty) } else { element.ty };
            let generic = matches!(self.types.get(ty), Type::Param(_));
            let list = if element.rest && !generic { "[]" } else { "" };
            let dots = if element.rest { "..." } else { "" };
            texts.push(match element.label.as_ref().filter(|_| labelled) {
                Some(label) => {
                    let mark = if element.optional { "?" } else { "" };
                    let text = if element.rest { self.operand(ty) } else { self.text(ty) };
                    format!("{dots}{label}{mark}: {text}{list}")
                }
                None => {
                    let mark = if element.optional { "?" } else { "" };
                    format!("{dots}{}{list}{mark}", self.operand(ty))
                }
            });
        }
        format!("{}[{}]", if readonly { "readonly " } else { "" }, texts.join(", "))
    }

    fn object(&mut self, ty: TypeId, object: ObjectId) -> String {
        if let Some((name, args)) = self.types.library_name(ty)
            && !name.contains('.')
        {
            let args = &args[..library_arguments(&name, args.len())];
            let args: Vec<String> = args.iter().map(|arg| self.text(*arg)).collect();
            return if args.is_empty() { name.to_string() } else { format!("{name}<{}>", args.join(", ")) };
        }
        if let Some(name) = self.names.get(&ty) {
            return name.clone();
        }
        let Some(members) = self.types.shape(ty) else { return self.unknown("its members are not known") };
        if let Some((symbol, args)) = self.types.declared_name(object)
            && !is_function(&members)
            && !args.iter().any(|arg| self.types.mentions_param(*arg, 0))
        {
            return match self.name_of(ty, symbol) {
                Some(name) => name,
                None => self.unknown("it speaks of too many types"),
            };
        }
        if self.open.contains(&ty) {
            return self.unknown("it contains itself, and has no name without type parameters");
        }
        self.open.push(ty);
        let text = self.inline(&members);
        self.open.pop();
        text
    }

    pub(super) fn brand(&mut self, ty: TypeId) -> String {
        let members = matches!(self.types.get(ty), Type::Object(_)) && self.types.library_name(ty).is_none();
        match self.types.shape(ty).filter(|_| members) {
            Some(members) => self.inline(&members),
            None => self.operand(ty),
        }
    }

    fn inline(&mut self, members: &Members<'g>) -> String {
        if is_function(members)
            && let Some(call) = members.calls.first()
        {
            return self.signature(call, " => ");
        }
        let mut parts = Vec::new();
        for member in self.members(members) {
            let readonly = if member.readonly { "readonly " } else { "" };
            parts.push(format!("{readonly}{}{}", member.name, member.behind));
        }
        if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join("; ")) }
    }

    pub(super) fn members(&mut self, members: &Members<'g>) -> Vec<FlatMember> {
        let mut found = Vec::new();
        let plain = |behind: String| FlatMember {
            doc: Doc::default(),
            readonly: false,
            name: String::new(),
            location: None,
            behind,
        };
        for call in &members.calls {
            found.push(plain(self.signature(call, ": ")));
        }
        for construct in &members.constructs {
            found.push(plain(format!("new {}", self.signature(construct, ": "))));
        }
        for index in &members.indexes {
            let behind = self.index_text(index);
            found.push(FlatMember { readonly: index.readonly, ..plain(behind) });
        }
        for prop in &members.props {
            let made = self.property(prop);
            found.extend(made);
        }
        found
    }

    fn index_text(&mut self, index: &Index) -> String {
        let value = self.types.force(index.ty);
        format!("[key: {}]: {}", self.text(index.key), self.text(value))
    }

    /// A property; one line for each signature of a method.
    fn property(&mut self, prop: &Prop<'g>) -> Vec<FlatMember> {
        let ty = self.types.force(prop.ty);
        let ty = if prop.optional { self.types.without_undefined(ty) } else { ty };
        let site = prop.declared.filter(|site| !site.module.own);
        let mark = if prop.optional { "?" } else { "" };
        self.words.insert(prop.name.to_string());
        let member = |behind: String| FlatMember {
            doc: site.map(|site| DocComment::above(site.module.module, site.node).doc).unwrap_or_default(),
            readonly: prop.readonly,
            name: key(&prop.name),
            location: site.map(|site| site.module.module.location(site.name)),
            behind,
        };
        let methods = match prop.kind {
            PropKind::Method | PropKind::Inherited => self.types.shape(ty).filter(|shape| {
                !shape.calls.is_empty()
                    && shape.props.is_empty()
                    && shape.constructs.is_empty()
                    && matches!(self.types.get(ty), Type::Object(_))
            }),
            PropKind::Field => None,
        };
        match methods {
            Some(shape) => {
                let calls = shape.calls.iter();
                let texts: Vec<String> = calls.map(|call| self.signature(call, ": ")).collect();
                let lines = texts
                    .into_iter()
                    .map(|text| FlatMember { readonly: false, ..member(format!("{mark}{text}")) });
                lines.collect()
            }
            None => {
                let text = self.text(ty);
                vec![member(format!("{mark}: {text}"))]
            }
        }
    }

    /// `<T extends string>(name: T, mode?: "a") => void`
    fn signature(&mut self, signature: &Signature, arrow: &str) -> String {
        let outer = self.params.len();
        self.params.extend(signature.type_params.iter().map(|param| param.id));
        let mut generics = Vec::new();
        for param in &signature.type_params {
            let mut text = self.types.params[param.id.place()].name.to_string();
            self.words.insert(text.clone());
            for (word, bound) in [("extends", param.constraint), ("=", param.default)] {
                if let Some(bound) = bound {
                    let bound = self.types.force(bound);
                    text = format!("{text} {word} {}", self.text(bound));
                }
            }
            generics.push(text);
        }
        let required = signature.params.iter().rposition(|param| !param.optional && !param.rest);
        let mut params = Vec::new();
        for (place, param) in signature.params.iter().enumerate() {
            let name = parameter_name(&signature.params, place);
            self.words.insert(name.clone());
            let ty = self.types.force(param.ty);
            // An optional parameter cannot stand before a required one.
            let forced = param.optional && required.is_some_and(|last| place < last);
            let ty = if param.optional { self.types.without_undefined(ty) } else { ty };
            let text = self.text(ty);
            params.push(match (param.rest, param.optional, forced) {
                (true, _, _) => format!("...{name}: {text}"),
                (false, true, true) => format!("{name}: {} | undefined", self.operand(ty)),
                (false, true, false) => format!("{name}?: {text}"),
                (false, false, _) => format!("{name}: {text}"),
            });
        }
        let returns = self.types.force(signature.returns);
        let returns = self.text(returns);
        self.params.truncate(outer);
        let generics = if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(", ")) };
        format!("{generics}({}){arrow}{returns}", params.join(", "))
    }
}

impl<'g> Evaluator<'g> {
    /// The name and arguments by which an object type is declared.
    fn declared_name(&self, object: ObjectId) -> Option<(SymbolId, Rc<[TypeId]>)> {
        let object = &self.objects[object.place()];
        match (&object.source, object.alias) {
            (Source::Declared { symbol, args }, _) => Some((*symbol, Rc::clone(args))),
            (Source::Value(_) | Source::Module(_), _) => None,
            (_, Some(alias)) => {
                let alias = &self.aliases[alias.place()].alias;
                Some((alias.symbol, Rc::clone(&alias.args)))
            }
            (_, None) => None,
        }
    }

    /// Whether a type argument has a type parameter in it.
    fn mentions_param(&self, ty: TypeId, depth: usize) -> bool {
        if depth > TEXT_DEPTH_MAX {
            return true;
        }
        let any = |types: &[TypeId]| types.iter().any(|ty| self.mentions_param(*ty, depth + 1));
        match self.get(ty) {
            Type::Param(_) | Type::Recur(_) | Type::Deferred(_) => true,
            Type::Union(parts) | Type::Intersection(parts) => any(parts),
            Type::Template { types, .. } => any(types),
            Type::Mapping(_, inner) | Type::Array { element: inner, .. } => any(&[*inner]),
            Type::Tuple { elements, .. } => {
                elements.iter().any(|element| self.mentions_param(element.ty, depth + 1))
            }
            Type::Object(object) => match self.declared_name(*object) {
                Some((_, args)) => any(&args),
                // What has no name may hold anything of where it stands.
                None => matches!(
                    &self.objects[object.place()].source,
                    Source::Literal { env, .. } | Source::Function(_, env) | Source::Mapped { env, .. }
                        if env.bindings.iter().any(|(_, ty)| self.mentions_param(*ty, depth + 1))
                ),
            },
            Type::Any
            | Type::Unknown
            | Type::Never
            | Type::Void
            | Type::Undefined
            | Type::Null
            | Type::String
            | Type::Number(_)
            | Type::Boolean
            | Type::BigInt(_)
            | Type::Symbol
            | Type::NonPrimitive
            | Type::Literal { .. }
            | Type::Member { .. }
            | Type::Opaque(_)
            | Type::Excess
            | Type::Error => false,
        }
    }
}

/// Whether a type is one signature and nothing else.
fn is_function(members: &Members<'_>) -> bool {
    members.calls.len() == 1
        && members.constructs.is_empty()
        && members.props.is_empty()
        && members.indexes.is_empty()
}

fn spelled(value: &Literal) -> String {
    match value {
        Literal::String(text) => quoted(text),
        Literal::BigInt(digits) => format!("{digits}n"),
        Literal::Number(_) | Literal::Boolean(_) => literal_text(value),
    }
}

/// How many arguments of a library type every version of TypeScript knows.
fn library_arguments(name: &str, given: usize) -> usize {
    let known = match name {
        "Uint8Array" => 0,
        "Iterable"
        | "IterableIterator"
        | "AsyncIterable"
        | "AsyncIterableIterator"
        | "Iterator"
        | "AsyncIterator" => 1,
        _ => given,
    };
    known.min(given)
}

/// A property's name as declarations spell it.
fn key(name: &str) -> String {
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(Ident::is_valid_start) && chars.all(Ident::is_valid_continue);
    if plain { name.to_owned() } else { quoted(name) }
}

/// The parameter's own name, or its place where that is a pattern or taken.
fn parameter_name(params: &[Parameter], place: usize) -> String {
    let name = &params[place].name;
    let repeated = params[..place].iter().any(|before| before.name == *name);
    let pattern = name.starts_with("__") || repeated;
    if pattern { format!("argument{place}") } else { name.to_string() }
}

const TEXT_DEPTH_MAX: usize = 24;
